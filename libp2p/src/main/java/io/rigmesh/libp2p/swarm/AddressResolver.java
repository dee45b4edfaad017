package io.rigmesh.libp2p.swarm;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.dns.DefaultDnsQuestion;
import io.netty.handler.codec.dns.DnsRawRecord;
import io.netty.handler.codec.dns.DnsRecord;
import io.netty.handler.codec.dns.DnsRecordType;
import io.netty.resolver.dns.DnsNameResolver;
import io.netty.resolver.dns.DnsNameResolverBuilder;
import io.netty.util.ReferenceCountUtil;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.AddressPart;
import io.rigmesh.libp2p.multiformats.AddressProtocol;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.libp2p.transport.EventLoops;
import io.rigmesh.libp2p.transport.IpAddresses;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// Turns addresses with names into addresses with numbers: `/dns`, `/dns4`, `/dns6` by the system's
/// resolver, `/dnsaddr` by the TXT records of `_dnsaddr.<name>` (the addressing specification).
/// Blocks: call it on a virtual thread.
final class AddressResolver implements AutoCloseable {
  private static final int RESOLVED_MAX = 32;
  private static final int DEPTH_MAX = 3;
  private static final String DNSADDR = "dnsaddr=";

  private static final long TIMEOUT_SECONDS = 5;

  private final DnsNameResolver dns;

  AddressResolver(EventLoops loops) {
    this.dns =
        new DnsNameResolverBuilder(loops.group().next())
            .datagramChannelType(loops.datagramType())
            .queryTimeoutMillis(TIMEOUT_SECONDS * 1000)
            .build();
  }

  /// Whether it names a host that must be looked up.
  static boolean isNamed(Multiaddr address) {
    if (address.isEmpty()) {
      return false;
    }
    return switch (address.parts().getFirst().protocol()) {
      case DNS, DNS4, DNS6, DNSADDR -> true;
      default -> false;
    };
  }

  /// The addresses that this one stands for towards a peer; none when the name is unknown.
  List<Multiaddr> resolve(Multiaddr address, PeerId peer) {
    Set<Multiaddr> out = new LinkedHashSet<>();
    resolve(address, peer, 0, out);
    return List.copyOf(out);
  }

  private void resolve(Multiaddr address, PeerId peer, int depth, Set<Multiaddr> out) {
    if (out.size() >= RESOLVED_MAX || depth > DEPTH_MAX) {
      return;
    }
    if (!isNamed(address)) {
      out.add(
          address.peerId().filter(peer::equals).isPresent() ? address.withoutPeerId() : address);
      return;
    }
    AddressPart first = address.parts().getFirst();
    Multiaddr rest = address.slice(1, address.parts().size());
    if (first.protocol() == AddressProtocol.DNSADDR) {
      for (Multiaddr found : records(first.text())) {
        if (found.peerId().isEmpty() || found.peerId().get().equals(peer)) {
          resolve(found.withoutPeerId(), peer, depth + 1, out);
        }
      }
      return;
    }
    try {
      for (InetAddress ip : InetAddress.getAllByName(first.text())) {
        boolean four = ip instanceof Inet4Address;
        boolean wanted =
            first.protocol() == AddressProtocol.DNS
                || four == (first.protocol() == AddressProtocol.DNS4);
        if (wanted && out.size() < RESOLVED_MAX) {
          out.add(IpAddresses.ip(ip).then(rest));
        }
      }
    } catch (UnknownHostException unknown) {
      // The dial reports that no address is left.
    }
  }

  private List<Multiaddr> records(String name) {
    List<Multiaddr> found = new ArrayList<>();
    try {
      List<DnsRecord> records =
          dns.resolveAll(new DefaultDnsQuestion("_dnsaddr." + name + ".", DnsRecordType.TXT))
              .get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
      for (DnsRecord record : records) {
        if (record instanceof DnsRawRecord raw && found.size() < RESOLVED_MAX) {
          String text = text(raw.content());
          if (text.startsWith(DNSADDR)) {
            found.add(Multiaddr.of(text.substring(DNSADDR.length())));
          }
        }
        ReferenceCountUtil.release(record);
      }
    } catch (ExecutionException | TimeoutException | IllegalArgumentException unknown) {
      // The dial reports that no address is left.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return found;
  }

  /// A TXT record is a row of strings with a length byte each; they belong together.
  private static String text(ByteBuf content) {
    StringBuilder text = new StringBuilder();
    while (content.isReadable()) {
      int length = Math.min(content.readUnsignedByte(), content.readableBytes());
      text.append(content.readCharSequence(length, StandardCharsets.UTF_8));
    }
    return text.toString();
  }

  @Override
  public void close() {
    dns.close();
  }
}

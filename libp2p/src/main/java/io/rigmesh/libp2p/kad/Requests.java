package io.rigmesh.libp2p.kad;

import com.google.protobuf.ByteString;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.AddressScope;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.libp2p.multiformats.Varint;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Answers other peers' requests, as a server does (the specification's "RPC messages").
/// Single-threaded.
final class Requests {
  private final PeerId self;
  private final String protocol;
  private final KadNetwork network;
  private final RoutingTable table;
  private final ProviderRecords providers;
  private final ValueRecords values;
  private final Provisions provisions;

  Requests(
      PeerId self,
      KademliaConfig config,
      KadNetwork network,
      RoutingTable table,
      ProviderRecords providers,
      ValueRecords values,
      Provisions provisions) {
    this.self = self;
    this.protocol = config.protocol().name();
    this.network = network;
    this.table = table;
    this.providers = providers;
    this.values = values;
    this.provisions = provisions;
  }

  /// The answer; empty for a message that is not answered.
  ///
  /// @param remote where the asker was proven to be
  /// @throws PeerMisbehaviourException when the request breaks a rule
  /// @throws Libp2pException when it is refused
  Optional<KadMessage> answer(PeerId asker, Multiaddr remote, KadMessage request) {
    AddressScope scope = AddressScope.of(remote);
    if (request.key().isEmpty() && request.type() != KadMessage.Type.PING) {
      throw new PeerMisbehaviourException(protocol + ": a request comes without a key");
    }
    return switch (request.type()) {
      case FIND_NODE -> {
        List<PeerAddress> near = closer(asker, scope, request.key());
        addTarget(near, asker, scope, request.key());
        yield Optional.of(response(request, Optional.empty(), near, List.of()));
      }
      case GET_PROVIDERS -> {
        requireMultihash(request.key());
        yield Optional.of(
            response(
                request,
                Optional.empty(),
                closer(asker, scope, request.key()),
                providers(scope, request.key())));
      }
      case ADD_PROVIDER -> {
        requireMultihash(request.key());
        addProvider(asker, remote, request);
        yield Optional.empty();
      }
      case GET_VALUE ->
          Optional.of(
              response(
                  request,
                  values.get(protocol, request.key(), network.now()),
                  closer(asker, scope, request.key()),
                  List.of()));
      case PUT_VALUE -> {
        ByteString value =
            request
                .value()
                .orElseThrow(() ->
                    new PeerMisbehaviourException(
                        protocol + ": a PUT_VALUE comes without its record"));
        values.put(protocol, request.key(), value, network.now());
        yield Optional.of(request);
      }
      case PING -> Optional.of(KadMessage.request(KadMessage.Type.PING, request.key()));
    };
  }

  private static KadMessage response(
      KadMessage request,
      Optional<ByteString> value,
      List<PeerAddress> closer,
      List<PeerAddress> providers) {
    return new KadMessage(request.type(), request.key(), value, closer, providers);
  }

  /// The nearest peers of which the asker can use an address, without the asker itself.
  private List<PeerAddress> closer(PeerId asker, AddressScope scope, ByteString key) {
    List<PeerAddress> out = new ArrayList<>(KademliaConfig.K);
    KadKey point = KadKey.of(key.toByteArray());
    // One more for the asker itself; and all over again when some have no address for the asker.
    for (int count : new int[] {KademliaConfig.K + 1, 4 * KademliaConfig.K}) {
      out.clear();
      for (PeerId peer : table.closest(point, count)) {
        if (out.size() < KademliaConfig.K && !peer.equals(asker)) {
          List<Multiaddr> usable = network.addresses(peer, scope);
          if (!usable.isEmpty()) {
            out.add(new PeerAddress(peer, usable));
          }
        }
      }
      if (out.size() == KademliaConfig.K || table.size() < count) {
        break;
      }
    }
    return out;
  }

  /// A peer that is looked for by name is named even when it is a client and so in no table.
  private void addTarget(List<PeerAddress> to, PeerId asker, AddressScope scope, ByteString key) {
    PeerId target;
    try {
      target = PeerId.of(key.toByteArray());
    } catch (IllegalArgumentException notPeer) {
      return;
    }
    if (target.equals(asker) || to.stream().anyMatch(peer -> peer.peer().equals(target))) {
      return;
    }
    PeerAddress usable =
        target.equals(self)
            ? UsableAddresses.of(new PeerAddress(self, network.ownAddresses()), scope)
            : new PeerAddress(target, network.addresses(target, scope));
    if (usable.addresses().isEmpty()) {
      return;
    }
    to.addFirst(usable);
    if (to.size() > KademliaConfig.K) {
      to.removeLast();
    }
  }

  private List<PeerAddress> providers(AddressScope scope, ByteString key) {
    List<PeerAddress> out = new ArrayList<>();
    if (provisions.contains(key)) {
      out.add(UsableAddresses.of(new PeerAddress(self, network.ownAddresses()), scope));
    }
    List<PeerAddress> told =
        providers.providers(
            KadKey.of(key.toByteArray()), KadMessage.PROVIDERS_MAX - out.size(), network.now());
    for (PeerAddress provider : told) {
      PeerAddress usable = UsableAddresses.of(provider, scope);
      if (usable.addresses().isEmpty()) {
        // Its addresses are old, but it may have met us since.
        PeerId peer = provider.peer();
        usable = new PeerAddress(peer, network.addresses(peer, scope));
      }
      out.add(usable);
    }
    return out;
  }

  private void addProvider(PeerId asker, Multiaddr remote, KadMessage request) {
    for (PeerAddress provider : request.providers()) {
      if (provider.peer().equals(asker)) {
        PeerAddress usable = UsableAddresses.of(provider, AddressScope.of(remote));
        if (!usable.addresses().isEmpty()) {
          providers.add(
              KadKey.of(request.key().toByteArray()),
              usable,
              IpGroup.of(remote).orElse(null),
              network.now());
        }
        return;
      }
    }
    throw new PeerMisbehaviourException(
        protocol + ": " + asker + " announces providers, of which none is itself");
  }

  /// Provider records are kept under multihashes.
  private void requireMultihash(ByteString key) {
    byte[] bytes = key.toByteArray();
    try {
      Varint.Read code = Varint.read(bytes, 0);
      Varint.Read length = Varint.read(bytes, code.end());
      if (length.value() == bytes.length - length.end() && length.value() > 0) {
        return;
      }
    } catch (IllegalArgumentException cutShort) {
      // Falls through to the refusal.
    }
    throw new PeerMisbehaviourException(protocol + ": a provider record's key is no multihash");
  }
}

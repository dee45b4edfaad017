package io.rigmesh.libp2p.autonat;

import com.google.protobuf.ByteString;
import io.netty.channel.Channel;
import io.netty.channel.socket.DuplexChannel;
import io.rigmesh.libp2p.BlockingStream;
import io.rigmesh.libp2p.Connection;
import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.Stream;
import io.rigmesh.libp2p.autonat.wire.AutoNatWire;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.AddressPart;
import io.rigmesh.libp2p.multiformats.AddressProtocol;
import io.rigmesh.libp2p.multiformats.AddressScope;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.libp2p.negotiation.FirstMessage;
import io.rigmesh.libp2p.negotiation.Multistream;
import io.rigmesh.libp2p.resource.ConnectionScope;
import io.rigmesh.libp2p.resource.ResourceLimitException;
import io.rigmesh.libp2p.transport.Failures;
import io.rigmesh.libp2p.transport.SecuredConnection;
import io.rigmesh.libp2p.transport.Transport;
import java.net.InetAddress;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Dials others back when they ask (specification AutoNAT v2, the server's side): one address a
/// request, over a new connection from a new port, so that no hole in a router that the asking
/// connection has made lets it in. An address that is not where the request came from costs the
/// asker more bytes than the dial costs its victim.
final class DialBackServer implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(DialBackServer.class);

  private static final int CONCURRENT_MAX = 16;
  private static final Duration MESSAGE_TIMEOUT = Duration.ofSeconds(15);
  private static final Duration DIAL_TIMEOUT = Duration.ofSeconds(10);
  private static final Duration DIAL_BACK_TIMEOUT = Duration.ofSeconds(5);

  /// Data in crumbs would cost this side more than the asker.
  private static final int CRUMB_BYTES = 64;

  private static final AutoNatWire.Message REJECTED =
      AutoNatMessages.response(AutoNatWire.DialResponse.ResponseStatus.E_REQUEST_REJECTED);

  private final Host host;
  private final AutoNatSettings settings;
  private final InstantSource clock;
  private final List<Transport> dialers;
  private final RateLimit rate;
  private final Semaphore slots = new Semaphore(CONCURRENT_MAX);
  private final Set<PeerId> serving = ConcurrentHashMap.newKeySet();

  /// @param dialers listen nowhere, so that they dial from new ports; closed with this
  DialBackServer(
      Host host, AutoNatSettings settings, InstantSource clock, List<Transport> dialers) {
    this.host = host;
    this.settings = settings;
    this.clock = clock;
    this.dialers = List.copyOf(dialers);
    this.rate = new RateLimit(settings.requestsPerMinute(), settings.requestsPerPeerPerMinute());
  }

  /// An address of a request that this host would dial.
  private record Selected(int index, Multiaddr address, Transport dialer) {}

  void serve(Stream stream, BlockingStream io) throws InterruptedException {
    io.timeout(MESSAGE_TIMEOUT);
    AutoNatWire.Message message =
        AutoNatMessages.message(io.requireMessage(AutoNatMessages.BYTES_MAX));
    if (!message.hasDialRequest()) {
      throw new PeerMisbehaviourException(
          AutoNat.DIAL_REQUEST + ": the first message is not a dial request");
    }
    // The peer may ask again as soon as it reads the answer: by then it must be let go.
    io.writeMessage(admitted(stream.connection(), io, message.getDialRequest()));
  }

  /// Answers unless too much is asked, one request of a peer at a time.
  private AutoNatWire.Message admitted(
      Connection asking, BlockingStream io, AutoNatWire.DialRequest request)
      throws InterruptedException {
    PeerId peer = asking.peer();
    if (AutoNat.relayed(asking) || !rate.take(peer, clock.instant()) || !serving.add(peer)) {
      return REJECTED;
    }
    try {
      if (!slots.tryAcquire()) {
        return REJECTED;
      }
      try {
        return answer(asking, io, request);
      } finally {
        slots.release();
      }
    } finally {
      serving.remove(peer);
    }
  }

  private AutoNatWire.Message answer(
      Connection asking, BlockingStream io, AutoNatWire.DialRequest request)
      throws InterruptedException {
    Optional<Selected> selected = select(request.getAddrsList());
    if (selected.isEmpty()) {
      return AutoNatMessages.response(AutoNatWire.DialResponse.ResponseStatus.E_DIAL_REFUSED);
    }
    Selected one = selected.get();
    if (!sameOrigin(asking, one.address())) {
      takeDialData(io, one.index());
    }
    ConnectionScope scope;
    try {
      scope = host.resources().openConnection(Direction.OUTBOUND, one.address());
    } catch (ResourceLimitException e) {
      LOG.debug("Did not dial {} back: {}", one.address(), e.getMessage());
      return REJECTED;
    }
    AutoNatWire.DialStatus status = dial(asking.peer(), one, request.getNonce(), scope);
    LOG.debug("Dialled {} at {} back: {}", asking.peer(), one.address(), status);
    return AutoNatWire.Message.newBuilder()
        .setDialResponse(
            AutoNatWire.DialResponse.newBuilder()
                .setStatus(AutoNatWire.DialResponse.ResponseStatus.OK)
                .setAddrIdx(one.index())
                .setDialStatus(status))
        .build();
  }

  /// The first address that this host is able and willing to dial.
  private Optional<Selected> select(List<ByteString> addresses) {
    for (int i = 0; i < addresses.size(); i++) {
      try {
        Multiaddr address = Multiaddr.of(addresses.get(i).toByteArray());
        Multiaddr plain = address.withoutPeerId();
        Optional<Transport> dialer =
            dialers.stream().filter(transport -> transport.dials(plain)).findFirst();
        if (dialer.isPresent() && willing(plain)) {
          return Optional.of(new Selected(i, plain, dialer.get()));
        }
      } catch (IllegalArgumentException newerKind) {
        // An address that cannot be read cannot be dialled; another may.
      }
    }
    return Optional.empty();
  }

  private boolean willing(Multiaddr address) {
    AddressScope scope = AddressScope.of(address);
    if (scope == AddressScope.NONE
        || (!settings.privateAddresses() && scope != AddressScope.PUBLIC)) {
      return false;
    }
    // Whoever has no IPv6 of its own would report every such address as unreachable.
    return !address.has(AddressProtocol.IP6)
        || host.addresses().stream()
            .anyMatch(own -> own.has(AddressProtocol.IP6) && AddressScope.of(own).equals(scope));
  }

  private static boolean sameOrigin(Connection asking, Multiaddr address) {
    Optional<InetAddress> from = ip(asking.remoteAddress());
    return from.isPresent() && from.equals(ip(address));
  }

  private static Optional<InetAddress> ip(Multiaddr address) {
    return address
        .first(AddressProtocol.IP4)
        .or(() -> address.first(AddressProtocol.IP6))
        .map(AddressPart::address);
  }

  private static void takeDialData(BlockingStream io, int index) {
    int due =
        ThreadLocalRandom.current()
            .nextInt(AutoNatMessages.DIAL_DATA_BYTES_MIN, AutoNatMessages.DIAL_DATA_BYTES_MAX + 1);
    io.writeMessage(
        AutoNatWire.Message.newBuilder()
            .setDialDataRequest(
                AutoNatWire.DialDataRequest.newBuilder().setAddrIdx(index).setNumBytes(due))
            .build());
    int messages = 0;
    int taken = 0;
    while (taken < due) {
      AutoNatWire.Message message =
          AutoNatMessages.message(io.requireMessage(AutoNatMessages.BYTES_MAX));
      int bytes = message.getDialDataResponse().getData().size();
      if (!message.hasDialDataResponse()
          || bytes > AutoNatMessages.DATA_BYTES_MAX
          || ++messages > due / CRUMB_BYTES) {
        throw new PeerMisbehaviourException(
            AutoNat.DIAL_REQUEST
                + ": the data that pays for a dial comes in messages of "
                + CRUMB_BYTES
                + " to "
                + AutoNatMessages.DATA_BYTES_MAX
                + " bytes");
      }
      taken += bytes;
    }
  }

  private AutoNatWire.DialStatus dial(PeerId peer, Selected one, long nonce, ConnectionScope scope)
      throws InterruptedException {
    CompletableFuture<SecuredConnection> dialling =
        one.dialer().dial(one.address(), peer, scope, Channel::close);
    SecuredConnection connection;
    try {
      connection = dialling.get(DIAL_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException e) {
      LOG.debug("Dialling {} back failed: {}", one.address(), Failures.message(e));
      dialling.cancel(true);
      dialling.thenAccept(late -> late.session().close());
      scope.close();
      return AutoNatWire.DialStatus.E_DIAL_ERROR;
    }
    try {
      sendNonce(connection, nonce).get(DIAL_BACK_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
      return AutoNatWire.DialStatus.OK;
    } catch (ExecutionException | TimeoutException e) {
      LOG.debug("The dial back to {} failed: {}", one.address(), Failures.message(e));
      return AutoNatWire.DialStatus.E_DIAL_BACK_ERROR;
    } finally {
      connection.session().close();
      connection.session().closed().whenComplete((reason, failure) -> scope.close());
    }
  }

  /// Completes when the asker has said that it has the nonce.
  private static CompletableFuture<Void> sendNonce(SecuredConnection connection, long nonce) {
    return connection
        .session()
        .open()
        .thenCompose(channel -> {
          CompletableFuture<Void> sent = new CompletableFuture<>();
          channel.eventLoop().execute(() -> sendNonce(channel, nonce, sent));
          return sent;
        });
  }

  private static void sendNonce(DuplexChannel channel, long nonce, CompletableFuture<Void> sent) {
    Multistream.propose(
            channel, List.of(AutoNat.DIAL_BACK.name()), Multistream.Then.HOLD_UNTIL_READ)
        .thenCompose(protocol -> {
          channel.writeAndFlush(
              FirstMessage.framed(AutoNatWire.DialBack.newBuilder().setNonce(nonce).build()));
          return FirstMessage.read(
              channel,
              AutoNat.DIAL_BACK.name(),
              AutoNatMessages.DIAL_BACK_BYTES_MAX,
              DIAL_BACK_TIMEOUT);
        })
        .whenComplete((bytes, failure) -> {
          if (failure != null) {
            sent.completeExceptionally(Failures.unwrapped(failure));
            return;
          }
          try {
            AutoNatWire.DialBackResponse answer = AutoNatMessages.dialBackResponse(bytes);
            if (answer.getStatus() == AutoNatWire.DialBackResponse.DialBackStatus.OK) {
              sent.complete(null);
            } else {
              sent.completeExceptionally(new Libp2pException("the asker did not take the nonce"));
            }
          } catch (PeerMisbehaviourException e) {
            sent.completeExceptionally(e);
          }
        });
  }

  @Override
  public void close() {
    dialers.forEach(Transport::close);
  }
}

package io.rigmesh.libp2p.autonat;

import com.google.protobuf.ByteString;
import io.rigmesh.libp2p.BlockingStream;
import io.rigmesh.libp2p.Connection;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.Stream;
import io.rigmesh.libp2p.autonat.wire.AutoNatWire;
import io.rigmesh.libp2p.multiformats.AddressProtocol;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.libp2p.transport.Failures;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// Asks a server to dial one address (specification AutoNAT v2, the client's side), and believes a
/// success only when the nonce has come back over a connection of the address's own kind.
final class DialBackClient {
  private static final Duration MESSAGE_TIMEOUT = Duration.ofSeconds(30);
  private static final Duration OPEN_TIMEOUT = Duration.ofSeconds(10);

  /// The dial back is on its way before the answer is, by another path.
  private static final Duration NONCE_TIMEOUT = Duration.ofSeconds(2);

  private final SecureRandom random = new SecureRandom();
  private final Map<Long, CompletableFuture<Multiaddr>> waiting = new ConcurrentHashMap<>();

  /// What a server found.
  enum Outcome {
    DIALLED,
    FAILED,
    /// The server would not or could not try, or is not to be believed.
    NO_ANSWER
  }

  /// Asks on a connection to a server.
  Outcome ask(Connection server, Multiaddr address) throws InterruptedException {
    long nonce = random.nextLong();
    CompletableFuture<Multiaddr> arrived = new CompletableFuture<>();
    waiting.put(nonce, arrived);
    Stream stream = open(server);
    try {
      Outcome outcome = ask(stream.blocking().timeout(MESSAGE_TIMEOUT), address, nonce, arrived);
      stream.close();
      return outcome;
    } catch (Libp2pException e) {
      stream.reset();
      throw e;
    } finally {
      waiting.remove(nonce);
    }
  }

  private static Stream open(Connection server) throws InterruptedException {
    CompletableFuture<Stream> opening = server.open(List.of(AutoNat.DIAL_REQUEST));
    try {
      return opening.get(OPEN_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException e) {
      opening.cancel(true);
      throw new Libp2pException(
          "No AutoNAT stream to " + server.peer() + ": " + Failures.message(e), e);
    }
  }

  private static Outcome ask(
      BlockingStream io, Multiaddr address, long nonce, CompletableFuture<Multiaddr> arrived)
      throws InterruptedException {
    io.writeMessage(
        AutoNatWire.Message.newBuilder()
            .setDialRequest(
                AutoNatWire.DialRequest.newBuilder()
                    .addAddrs(ByteString.copyFrom(address.bytes()))
                    .setNonce(nonce))
            .build());
    AutoNatWire.Message answer =
        AutoNatMessages.message(io.requireMessage(AutoNatMessages.BYTES_MAX));
    if (answer.hasDialDataRequest()) {
      pay(io, answer.getDialDataRequest());
      answer = AutoNatMessages.message(io.requireMessage(AutoNatMessages.BYTES_MAX));
    }
    if (!answer.hasDialResponse()) {
      throw new PeerMisbehaviourException(
          AutoNat.DIAL_REQUEST + ": the server did not answer the request");
    }
    AutoNatWire.DialResponse response = answer.getDialResponse();
    if (response.getStatus() != AutoNatWire.DialResponse.ResponseStatus.OK
        || response.getAddrIdx() != 0) {
      return Outcome.NO_ANSWER;
    }
    return switch (response.getDialStatus()) {
      case OK -> cameBack(address, arrived) ? Outcome.DIALLED : Outcome.NO_ANSWER;
      case E_DIAL_ERROR -> Outcome.FAILED;
      case E_DIAL_BACK_ERROR, UNUSED, UNRECOGNIZED -> Outcome.NO_ANSWER;
    };
  }

  private static void pay(BlockingStream io, AutoNatWire.DialDataRequest request) {
    long due = request.getNumBytes();
    if (request.getAddrIdx() != 0 || due < 0 || due > AutoNatMessages.DIAL_DATA_BYTES_MAX) {
      throw new PeerMisbehaviourException(
          AutoNat.DIAL_REQUEST
              + ": the server asks for "
              + Long.toUnsignedString(due)
              + " bytes for a dial, over "
              + AutoNatMessages.DIAL_DATA_BYTES_MAX);
    }
    byte[] full = new byte[AutoNatMessages.DATA_BYTES_MAX];
    for (long sent = 0; sent < due; sent += full.length) {
      io.writeMessage(
          AutoNatWire.Message.newBuilder()
              .setDialDataResponse(
                  AutoNatWire.DialDataResponse.newBuilder().setData(ByteString.copyFrom(full)))
              .build());
    }
  }

  private static boolean cameBack(Multiaddr address, CompletableFuture<Multiaddr> arrived)
      throws InterruptedException {
    try {
      Multiaddr local = arrived.get(NONCE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
      return local.has(AddressProtocol.TCP) == address.has(AddressProtocol.TCP)
          && local.has(AddressProtocol.QUIC_V1) == address.has(AddressProtocol.QUIC_V1);
    } catch (ExecutionException | TimeoutException e) {
      return false;
    }
  }

  /// A server dials back.
  void dialledBack(Stream stream, BlockingStream io) {
    AutoNatWire.DialBack message =
        AutoNatMessages.dialBack(io.requireMessage(AutoNatMessages.DIAL_BACK_BYTES_MAX));
    CompletableFuture<Multiaddr> asked = waiting.remove(message.getNonce());
    if (asked == null) {
      throw new PeerMisbehaviourException(AutoNat.DIAL_BACK + ": nobody has asked for this nonce");
    }
    asked.complete(stream.connection().localAddress());
    io.writeMessage(
        AutoNatWire.DialBackResponse.newBuilder()
            .setStatus(AutoNatWire.DialBackResponse.DialBackStatus.OK)
            .build());
  }
}

package io.rigmesh.libp2p.adversary;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.libp2p.identity.Ed25519PrivateKey;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Peers that break the rules of every layer, over raw sockets, against a host on a real socket.
/// While each is at it, an honest peer keeps its connection and its answers; afterwards what the
/// host counts, and its descriptors, are where they were.
@Timeout(240)
final class AdversaryIT {
  private static final Duration SOON = Besieged.SOON;
  private static final byte[] NOTHING = new byte[0];

  private Besieged besieged;
  private InetSocketAddress address;

  @BeforeEach
  void start() throws Exception {
    besieged = new Besieged("/ip4/127.0.0.1/tcp/0");
    address = besieged.socketAddress();
    try (RawPeer first = new RawPeer(address).secure(RawPeer.anyKey())) {
      first.frame(RawPeer.PING, RawPeer.SYN, 0, 7, NOTHING);
      besieged.awaitStranger();
    }
    besieged.remember();
  }

  @AfterEach
  void nothingIsLeftOfThem() throws Exception {
    try {
      besieged.assertUnharmed();
    } finally {
      besieged.close();
    }
  }

  @Test
  void aLineThatIsTooLongEndsTheConnection() throws Exception {
    try (RawPeer peer = new RawPeer(address)) {
      peer.write(new byte[] {(byte) 0xff, (byte) 0xff, (byte) 0xff, (byte) 0xff, 0x7f});
      peer.awaitClosed(SOON);
    }
  }

  @Test
  void slowAndSilentHandshakesEndInTime() throws Exception {
    List<RawPeer> peers = new ArrayList<>();
    try {
      for (int i = 0; i < 8; i++) {
        peers.add(new RawPeer(address));
      }
      // One says its first line a byte at a time, the others nothing at all.
      byte[] line = RawPeer.line("/multistream/1.0.0");
      long end = System.nanoTime() + Besieged.HANDSHAKE.plusSeconds(60).toNanos();
      boolean open = true;
      for (int i = 0; open && System.nanoTime() < end; i++) {
        besieged.answers();
        TimeUnit.MILLISECONDS.sleep(400);
        try {
          peers.getFirst().write(new byte[] {line[i % line.length]});
        } catch (SocketException e) {
          open = false;
        }
      }
      assertThat(open).as("a handshake drop by drop").isFalse();
      for (RawPeer peer : peers) {
        peer.awaitClosed(SOON);
      }
    } finally {
      for (RawPeer peer : peers) {
        peer.close();
      }
    }
  }

  @Test
  void forgedIdentitiesAreRefused() throws Exception {
    Ed25519PrivateKey claimed = RawPeer.anyKey();
    Ed25519PrivateKey other = RawPeer.anyKey();
    try (RawPeer peer = new RawPeer(address)) {
      peer.negotiateNoise();
      peer.secure(RawPeer.payload(claimed.publicKey().bytes(), other.sign(peer.toSign())));
      peer.awaitClosed(SOON);
    }
    try (RawPeer peer = new RawPeer(address)) {
      peer.negotiateNoise();
      peer.secure(RawPeer.payload(besieged.host.key().publicKey().bytes(), NOTHING));
      peer.awaitClosed(SOON);
    }
  }

  @Test
  void moreThanTheWindowEndsTheConnection() throws Exception {
    try (RawPeer peer = new RawPeer(address).secure(RawPeer.anyKey())) {
      peer.frame(RawPeer.DATA, RawPeer.SYN, 1, 17 << 20, new byte[100]);
      peer.awaitClosed(SOON);
      besieged.awaitReason("window");
    }
  }

  @Test
  void aFloodOfStreamsIsCut() throws Exception {
    try (RawPeer peer = new RawPeer(address).secure(RawPeer.anyKey())) {
      try {
        for (int stream = 1; stream < 20_000; stream += 2) {
          peer.frame(RawPeer.WINDOW_UPDATE, RawPeer.SYN, stream, 0, NOTHING);
        }
      } catch (SocketException e) {
        // Cut while it was at it.
      }
      besieged.answers();
      assertThat(besieged.host.resources().usage().inboundStreams()).isLessThanOrEqualTo(600);
    }
  }

  @Test
  void messagesWithTooManyElementsEndTheirStream() throws Exception {
    byte[] empties = new byte[200_000];
    for (int i = 0; i < empties.length; i += 2) {
      empties[i] = 0x0a;
    }
    byte[] message = RawPeer.concatenated(RawPeer.varint(empties.length), empties);
    int stream = 1;
    for (String protocol : List.of("/meshsub/1.1.0", "/ipfs/kad/1.0.0", "/ipfs/id/push/1.0.0")) {
      try (RawPeer peer = new RawPeer(address).secure(RawPeer.anyKey())) {
        peer.open(stream, protocol, message);
        readUntilReset(peer, stream);
      }
    }
  }

  @Test
  void garbageAtEveryLayerIsSurvived() throws Exception {
    Random random = new Random(42);
    for (int round = 0; round < 12; round++) {
      byte[] garbage = new byte[1 + random.nextInt(4_000)];
      random.nextBytes(garbage);
      try (RawPeer peer = new RawPeer(address)) {
        switch (round % 4) {
          case 0 -> peer.write(garbage);
          case 1 -> {
            peer.negotiateNoise();
            peer.write(garbage);
          }
          case 2 -> {
            peer.secure(RawPeer.anyKey());
            peer.writeRaw(garbage);
          }
          default -> {
            peer.secure(RawPeer.anyKey());
            peer.write(garbage);
          }
        }
      } catch (SocketException e) {
        // Refused while it was at it.
      }
      besieged.answers();
    }
  }

  private static void readUntilReset(RawPeer peer, int stream) {
    try {
      while (true) {
        RawPeer.Frame frame = peer.readFrame();
        if (frame.stream() == stream && (frame.flags() & RawPeer.RST) != 0) {
          return;
        }
      }
    } catch (java.net.SocketTimeoutException e) {
      throw new AssertionError("the stream was not reset", e);
    } catch (IOException e) {
      // The connection ended with it.
    }
  }
}

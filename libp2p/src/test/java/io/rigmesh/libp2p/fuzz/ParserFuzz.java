package io.rigmesh.libp2p.fuzz;

import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.gossip.GossipFuzz;
import io.rigmesh.libp2p.identify.IdentifyFuzz;
import io.rigmesh.libp2p.identity.Ed25519PrivateKey;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.identity.PeerRecord;
import io.rigmesh.libp2p.identity.PublicKey;
import io.rigmesh.libp2p.kad.KadFuzz;
import io.rigmesh.libp2p.mdns.MdnsFuzz;
import io.rigmesh.libp2p.multiformats.AddressProtocol;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.libp2p.multiformats.ProtobufBounds;
import io.rigmesh.libp2p.multiformats.Varint;
import io.rigmesh.libp2p.negotiation.MultistreamFuzz;
import io.rigmesh.libp2p.noise.NoiseFuzz;
import io.rigmesh.libp2p.relay.RelayFuzz;
import io.rigmesh.libp2p.tls.HostCertificate;
import io.rigmesh.libp2p.tls.PeerCertificate;
import io.rigmesh.libp2p.yamux.YamuxFuzz;
import java.nio.charset.StandardCharsets;
import java.security.cert.CertificateException;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;

/// What Jazzer calls, over and over in a process of its own: the first byte chooses a parser, the
/// rest is its input. A parser may refuse with the exception that its Javadoc names; anything else
/// that it throws, a wrong answer, or too much time or memory is a finding.
public final class ParserFuzz {
  private static final ProtobufBounds BOUNDS =
      ProtobufBounds.fields(64)
          .atMost(1, 8)
          .nested(2, 4, ProtobufBounds.fields(8).nested(1, 2, ProtobufBounds.fields(4)));
  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");

  private ParserFuzz() {}

  /// One parser: reads bytes, or refuses them in the way it has declared.
  interface Reader {
    void read(byte[] bytes);
  }

  /// @param seed a valid input to start from: what is close to it goes deepest
  record Parser(Reader reader, byte[] seed) {}

  private static final Ed25519PrivateKey KEY = Ed25519PrivateKey.ofSeed(new byte[32]);
  private static final PeerId PEER = PeerId.of(KEY.publicKey());
  private static final Multiaddr ADDRESS = Multiaddr.of("/ip4/192.0.2.1/tcp/4001/p2p/" + PEER);

  static final List<Parser> PARSERS =
      List.of(
          new Parser(ParserFuzz::multiaddr, ADDRESS.bytes()),
          new Parser(
              ParserFuzz::multiaddrText, ADDRESS.toString().getBytes(StandardCharsets.UTF_8)),
          new Parser(ParserFuzz::varint, new byte[] {(byte) 0xac, 2}),
          new Parser(ParserFuzz::publicKey, KEY.publicKey().bytes()),
          new Parser(ParserFuzz::peerId, PEER.bytes()),
          new Parser(
              ParserFuzz::peerRecord, new PeerRecord(PEER, 7, List.of(ADDRESS)).seal(KEY).bytes()),
          new Parser(ParserFuzz::certificate, certificateSeed()),
          new Parser(ParserFuzz::bounds, new byte[] {8, 1, 18, 4, 10, 2, 8, 1}),
          new Parser(MultistreamFuzz::lines, MultistreamFuzz.seed()),
          new Parser(NoiseFuzz::payload, NoiseFuzz.payloadSeed()),
          new Parser(NoiseFuzz::handshake, NoiseFuzz.handshakeSeed()),
          new Parser(YamuxFuzz::frames, YamuxFuzz.seed()),
          new Parser(IdentifyFuzz::message, IdentifyFuzz.seed()),
          new Parser(KadFuzz::message, KadFuzz.seed()),
          new Parser(GossipFuzz::rpc, GossipFuzz.seed()),
          new Parser(RelayFuzz::message, RelayFuzz.seed()),
          new Parser(MdnsFuzz::packet, MdnsFuzz.seed()));

  private static byte[] certificateSeed() {
    try {
      return HostCertificate.issue(KEY).certificate().getEncoded();
    } catch (CertificateException e) {
      throw new IllegalStateException(e);
    }
  }

  /// Jazzer calls this first: classes are loaded and measured outside of any input's time.
  public static void fuzzerInitialize() {
    PARSERS.forEach(parser -> parser.reader().read(parser.seed()));
  }

  /// Jazzer's entry point.
  public static void fuzzerTestOneInput(byte[] input) {
    if (input.length > 0) {
      PARSERS
          .get((input[0] & 0xff) % PARSERS.size())
          .reader()
          .read(Arrays.copyOfRange(input, 1, input.length));
    }
  }

  private static void multiaddr(byte[] bytes) {
    Multiaddr address;
    try {
      address = Multiaddr.of(bytes);
    } catch (IllegalArgumentException e) {
      return;
    }
    Multiaddr again = Multiaddr.of(address.bytes());
    check(again.equals(address), "binary form of " + address);
    String text = address.toString();
    // A path may hold anything, such as the names of further parts.
    if (!address.has(AddressProtocol.UNIX)) {
      check(Multiaddr.of(text).equals(address), "text form " + text);
    }
  }

  private static void multiaddrText(byte[] bytes) {
    Multiaddr address;
    try {
      address = Multiaddr.of(new String(bytes, StandardCharsets.UTF_8));
    } catch (IllegalArgumentException e) {
      return;
    }
    check(Multiaddr.of(address.bytes()).equals(address), "binary form of " + address);
  }

  private static void varint(byte[] bytes) {
    try {
      Varint.Read read = Varint.read(bytes, 0);
      check(
          Arrays.equals(Varint.encode(read.value()), Arrays.copyOf(bytes, read.end())),
          "varint " + read.value());
    } catch (IllegalArgumentException e) {
      // Refused.
    }
  }

  private static void publicKey(byte[] bytes) {
    try {
      PublicKey key = PublicKey.of(bytes);
      check(PublicKey.of(key.bytes()).equals(key), "key " + key);
      check(!key.verify(new byte[] {1}, new byte[64]), "a signature of zeros");
    } catch (IllegalArgumentException e) {
      // Refused.
    }
  }

  private static void peerId(byte[] bytes) {
    try {
      PeerId id = PeerId.of(bytes);
      check(PeerId.of(id.toString()).equals(id), "peer id " + id);
    } catch (IllegalArgumentException e) {
      // Refused.
    }
  }

  private static void peerRecord(byte[] bytes) {
    try {
      PeerRecord.of(PeerRecord.open(bytes));
    } catch (PeerMisbehaviourException e) {
      // Refused.
    }
  }

  private static void certificate(byte[] bytes) {
    try {
      PeerCertificate.verify(List.of(bytes), NOW);
    } catch (CertificateException e) {
      // Refused.
    }
  }

  private static void bounds(byte[] bytes) {
    try {
      check(BOUNDS.check("fuzz", bytes) == bytes, "the bytes are handed back");
    } catch (PeerMisbehaviourException e) {
      // Refused.
    }
  }

  private static void check(boolean holds, String what) {
    if (!holds) {
      throw new IllegalStateException("Does not read back: " + what);
    }
  }
}

package io.rigmesh.libp2p.identify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.ProtocolId;
import io.rigmesh.libp2p.identify.wire.IdentifyWire;
import io.rigmesh.libp2p.identity.Ed25519PrivateKey;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.identity.PeerRecord;
import io.rigmesh.libp2p.multiformats.AddressScope;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class IdentifyMessagesTest {
  private static final Ed25519PrivateKey KEY = key(1);
  private static final PeerId PEER = PeerId.of(KEY.publicKey());
  private static final Multiaddr PUBLIC = Multiaddr.of("/ip4/8.8.8.8/tcp/1");
  private static final Multiaddr PRIVATE = Multiaddr.of("/ip4/10.0.0.1/tcp/1");
  private static final Multiaddr LOOPBACK = Multiaddr.of("/ip4/127.0.0.1/tcp/1");

  private static Ed25519PrivateKey key(int number) {
    return Ed25519PrivateKey.ofSeed(ByteBuffer.allocate(32).putInt(number).array());
  }

  private static IdentifyInfo info(IdentifyWire.Identify message, AddressScope remote) {
    return IdentifyReader.info(message, PEER, remote, IdentifyReader.nothingKnown(PEER));
  }

  @Property(tries = 100)
  void whatIsCutIntoMessagesIsMergedAgain(
      @ForAll @IntRange(max = 60) int addresses, @ForAll @IntRange(max = 400) int protocols) {
    List<Multiaddr> all =
        IntStream.rangeClosed(1, addresses)
            .mapToObj(i -> Multiaddr.of("/ip4/8.8.8.8/udp/" + i + "/quic-v1"))
            .toList();
    List<ProtocolId> spoken =
        IntStream.range(0, protocols)
            .mapToObj(i -> new ProtocolId("/some/long/protocol/name/for/this/test/" + i))
            .toList();
    byte[] record = new PeerRecord(PEER, 1, all).seal(KEY).bytes();
    List<IdentifyWire.Identify> chunks =
        IdentifyChunks.of(
            IdentifyWire.Identify.newBuilder()
                .setAgentVersion("a/1")
                .setPublicKey(ByteString.copyFrom(KEY.publicKey().bytes())),
            all,
            record,
            spoken);
    assertThat(chunks).hasSizeBetween(1, IdentifyChunks.CHUNKS_MAX);
    IdentifyWire.Identify.Builder merged = IdentifyWire.Identify.newBuilder();
    for (IdentifyWire.Identify chunk : chunks) {
      assertThat(chunk.getSerializedSize()).isLessThanOrEqualTo(IdentifyChunks.CHUNK_BYTES_MAX);
      IdentifyReader.merge(merged, chunk.toByteArray(), "/test");
    }
    assertThat(merged.getListenAddrsCount()).isEqualTo(addresses);
    assertThat(merged.getProtocolsCount()).isEqualTo(protocols);
    IdentifyInfo info = info(merged.build(), AddressScope.PUBLIC);
    assertThat(info.addresses()).containsExactlyElementsOf(all);
    assertThat(info.protocols()).hasSize(protocols);
    assertThat(info.agentVersion()).isEqualTo("a/1");
  }

  @Test
  void tooMuchForTenMessagesIsLeftOut() {
    List<ProtocolId> spoken =
        IntStream.range(0, 100).mapToObj(i -> new ProtocolId("/" + i + "x".repeat(1000))).toList();
    List<IdentifyWire.Identify> chunks =
        IdentifyChunks.of(IdentifyWire.Identify.newBuilder(), List.of(), new byte[0], spoken);
    assertThat(chunks).hasSize(10);
    assertThat(chunks).allMatch(chunk -> chunk.getSerializedSize() <= 4096);
  }

  @Test
  void aPeersAddressesThatMeanNothingHereAreDropped() {
    IdentifyWire.Identify message =
        IdentifyWire.Identify.newBuilder()
            .addListenAddrs(ByteString.copyFrom(PUBLIC.bytes()))
            .addListenAddrs(ByteString.copyFrom(PRIVATE.bytes()))
            .addListenAddrs(ByteString.copyFrom(LOOPBACK.withPeerId(PEER).bytes()))
            .addListenAddrs(ByteString.copyFrom(new byte[] {1, 2, 3}))
            .addListenAddrs(
                ByteString.copyFrom(PUBLIC.withPeerId(PeerId.of(key(2).publicKey())).bytes()))
            .build();
    assertThat(info(message, AddressScope.PUBLIC).addresses()).containsExactly(PUBLIC);
    assertThat(info(message, AddressScope.PRIVATE).addresses()).containsExactly(PUBLIC, PRIVATE);
    assertThat(info(message, AddressScope.LOOPBACK).addresses())
        .containsExactly(PUBLIC, PRIVATE, LOOPBACK);
  }

  @Test
  void theSignedRecordCountsBeforeThePlainList() {
    IdentifyWire.Identify message =
        IdentifyWire.Identify.newBuilder()
            .addListenAddrs(ByteString.copyFrom(PRIVATE.bytes()))
            .setSignedPeerRecord(
                ByteString.copyFrom(new PeerRecord(PEER, 1, List.of(PUBLIC)).seal(KEY).bytes()))
            .build();
    assertThat(info(message, AddressScope.PRIVATE).addresses()).containsExactly(PUBLIC);
  }

  @Test
  void anothersRecordOrKeyIsMisbehaviour() {
    PeerId other = PeerId.of(key(2).publicKey());
    IdentifyWire.Identify record =
        IdentifyWire.Identify.newBuilder()
            .setSignedPeerRecord(
                ByteString.copyFrom(new PeerRecord(other, 1, List.of(PUBLIC)).seal(key(2)).bytes()))
            .build();
    assertThatThrownBy(() -> info(record, AddressScope.PUBLIC))
        .isInstanceOf(PeerMisbehaviourException.class)
        .hasMessageContaining("signed record of " + other);
    IdentifyWire.Identify stranger =
        IdentifyWire.Identify.newBuilder()
            .setPublicKey(ByteString.copyFrom(key(2).publicKey().bytes()))
            .build();
    assertThatThrownBy(() -> info(stranger, AddressScope.PUBLIC))
        .isInstanceOf(PeerMisbehaviourException.class);
    IdentifyWire.Identify garbage =
        IdentifyWire.Identify.newBuilder().setPublicKey(ByteString.copyFromUtf8("garbage")).build();
    assertThatThrownBy(() -> info(garbage, AddressScope.PUBLIC))
        .isInstanceOf(PeerMisbehaviourException.class);
  }

  @Test
  void aPushThatMentionsOnePartLeavesTheOthers() {
    IdentifyWire.Identify all =
        IdentifyWire.Identify.newBuilder()
            .setAgentVersion("a/1")
            .setProtocolVersion("ipfs/0.1.0")
            .addListenAddrs(ByteString.copyFrom(PUBLIC.bytes()))
            .setObservedAddr(ByteString.copyFrom(PRIVATE.bytes()))
            .addProtocols("/one")
            .build();
    IdentifyInfo before = info(all, AddressScope.PUBLIC);
    IdentifyInfo after =
        IdentifyReader.info(
            IdentifyWire.Identify.newBuilder().addProtocols("/two").build(),
            PEER,
            AddressScope.PUBLIC,
            before);
    assertThat(after.protocols()).isEqualTo(Set.of(new ProtocolId("/two")));
    assertThat(after.agentVersion()).isEqualTo("a/1");
    assertThat(after.protocolVersion()).isEqualTo("ipfs/0.1.0");
    assertThat(after.addresses()).containsExactly(PUBLIC);
    assertThat(after.observedAddress()).contains(PRIVATE);
  }

  @Test
  void textForLogsHoldsNoControlCharactersAndIsCut() {
    IdentifyWire.Identify message =
        IdentifyWire.Identify.newBuilder()
            .setAgentVersion("evil\n\u001b[31m" + "x".repeat(5000))
            .addProtocols("no-slash")
            .addProtocols("/line\nfeed")
            .addProtocols("/good")
            .build();
    IdentifyInfo info = info(message, AddressScope.PUBLIC);
    assertThat(info.agentVersion()).startsWith("evil??[31mx").hasSize(256);
    assertThat(info.protocols()).containsExactly(new ProtocolId("/good"));
  }

  @Test
  void aMessageOfEndlessEmptyFieldsIsMisbehaviourBeforeItIsParsed() {
    byte[] fields = new byte[8000];
    for (int i = 0; i < fields.length; i += 2) {
      fields[i] = (3 << 3) | 2;
    }
    assertThatThrownBy(() ->
            IdentifyReader.merge(IdentifyWire.Identify.newBuilder(), fields, "/ipfs/id/1.0.0"))
        .isInstanceOf(PeerMisbehaviourException.class)
        .hasMessageContaining("/ipfs/id/1.0.0");
  }

  @Property(tries = 1000)
  void garbageIsMisbehaviourOrUnderstood(@ForAll @Size(max = 200) byte[] garbage) {
    try {
      IdentifyWire.Identify.Builder merged = IdentifyWire.Identify.newBuilder();
      IdentifyReader.merge(merged, garbage, "/test");
      info(merged.build(), AddressScope.PUBLIC);
    } catch (PeerMisbehaviourException refused) {
      assertThat(refused.getMessage()).isNotEmpty();
    }
  }
}

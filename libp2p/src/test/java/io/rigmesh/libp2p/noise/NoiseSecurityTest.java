package io.rigmesh.libp2p.noise;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.identity.Ed25519PrivateKey;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.identity.PrivateKey;
import io.rigmesh.libp2p.noise.wire.NoiseWire.NoiseExtensions;
import io.rigmesh.libp2p.noise.wire.NoiseWire.NoiseHandshakePayload;
import java.security.SecureRandom;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class NoiseSecurityTest {
  private static final SecureRandom RANDOM = new SecureRandom();

  private final NoisePair pair = new NoisePair();
  private final PrivateKey initiatorKey = Ed25519PrivateKey.generate(RANDOM);
  private final PrivateKey responderKey = Ed25519PrivateKey.generate(RANDOM);

  @AfterEach
  void nothingLeaks() {
    pair.close();
    assertThat(pair.memory.usedBytes()).isZero();
  }

  @Test
  void bothEndsProveTheirKeysAndBytesGoBothWays() {
    upgrade(List.of("/yamux/1.0.0"), List.of("/yamux/1.0.0"));
    pair.settle();
    assertThat(pair.initiator.session.join().remoteKey()).isEqualTo(responderKey.publicKey());
    assertThat(pair.responder.session.join().remoteKey()).isEqualTo(initiatorKey.publicKey());
    assertThat(pair.initiator.session.join().muxer()).contains("/yamux/1.0.0");
    assertThat(pair.responder.session.join().muxer()).contains("/yamux/1.0.0");
    pair.initiator.channel.writeAndFlush(pair.initiator.bytes("there".getBytes()));
    pair.responder.channel.writeAndFlush(pair.responder.bytes("back".getBytes()));
    pair.settle();
    assertThat(pair.responder.received).hasToString("there");
    assertThat(pair.initiator.received).hasToString("back");
  }

  @Test
  void theInitiatorsFirstMuxerThatBothHaveWins() {
    upgrade(List.of("/a", "/b", "/c"), List.of("/d", "/c", "/b"));
    pair.settle();
    assertThat(pair.initiator.session.join().muxer()).contains("/b");
    assertThat(pair.responder.session.join().muxer()).contains("/b");
  }

  @Test
  void noMuxerInCommonFails() {
    upgrade(List.of("/a"), List.of("/b"));
    pair.settle();
    assertFailed(pair.initiator, "no multiplexer in common: [/a] here, [/b] there");
    pair.responder.channel.close();
    assertFailed(pair.responder, "closed during the handshake");
  }

  @Test
  void aRemoteWithoutTheExtensionLeavesTheMuxerToMultistream() {
    upgrade(List.of(), List.of("/yamux/1.0.0"));
    pair.settle();
    assertThat(pair.initiator.session.join().muxer()).isEmpty();
    assertThat(pair.responder.session.join().muxer()).isEmpty();
  }

  @Test
  void theExpectedPeerIsAccepted() {
    pair.responder.upgrade(
        security(responderKey), Direction.INBOUND, PeerId.of(initiatorKey.publicKey()));
    pair.initiator.upgrade(
        security(initiatorKey), Direction.OUTBOUND, PeerId.of(responderKey.publicKey()));
    pair.settle();
    assertThat(pair.initiator.session).isCompleted();
    assertThat(pair.responder.session).isCompleted();
  }

  @Test
  void anotherPeerThanTheExpectedFailsTheDialAndNothingIsProvenToIt() {
    PeerId expected = PeerId.of(Ed25519PrivateKey.generate(RANDOM).publicKey());
    pair.responder.upgrade(security(responderKey), Direction.INBOUND, null);
    pair.initiator.upgrade(security(initiatorKey), Direction.OUTBOUND, expected);
    pair.settle();
    assertFailed(
        pair.initiator,
        "expected peer " + expected + ", but " + PeerId.of(responderKey.publicKey()) + " answered");
    assertThat(pair.responder.session).isNotDone();
  }

  @Test
  void anotherPeerThanTheExpectedIsRefusedByAListener() {
    PeerId expected = PeerId.of(Ed25519PrivateKey.generate(RANDOM).publicKey());
    pair.responder.upgrade(security(responderKey), Direction.INBOUND, expected);
    pair.initiator.upgrade(security(initiatorKey), Direction.OUTBOUND, null);
    pair.settle();
    assertFailed(pair.responder, "expected peer " + expected);
  }

  @Test
  void aSignatureOfAnotherStaticKeyIsRefused() {
    forge(payload ->
        payload.setIdentitySig(
            ByteString.copyFrom(initiatorKey.sign(NoiseSecurity.signed(new byte[32])))));
    assertFailed(pair.responder, "signature over its static key is wrong");
  }

  @Test
  void anIdentityThatTheRemoteDoesNotHoldIsRefused() {
    forge(payload -> payload.setIdentityKey(ByteString.copyFrom(responderKey.publicKey().bytes())));
    assertFailed(pair.responder, "signature over its static key is wrong");
  }

  @Test
  void aMissingProofIsRefused() {
    forge(NoiseHandshakePayload.Builder::clearIdentitySig);
    assertFailed(pair.responder, "lacks its identity key or signature");
  }

  @Test
  void aMalformedKeyIsRefused() {
    forge(payload -> payload.setIdentityKey(ByteString.copyFromUtf8("no key")));
    assertFailed(pair.responder, "identity key is malformed");
  }

  @Test
  void manyElementsAreRefusedBeforeTheyAreParsed() {
    forge(payload -> {
      NoiseExtensions.Builder extensions = NoiseExtensions.newBuilder();
      for (int i = 0; i < 1000; i++) {
        extensions.addStreamMuxers("");
      }
      payload.setExtensions(extensions);
    });
    assertFailed(pair.responder, "noise: a message holds");
  }

  @Test
  void aLongHandshakeMessageIsRefusedAtItsLength() {
    pair.responder.upgrade(security(responderKey), Direction.INBOUND, null);
    pair.responder.channel.writeInbound(Unpooled.buffer().writeShort(8193));
    assertFailed(pair.responder, "a handshake message of 8193 bytes is over the limit of 8192");
  }

  @Test
  void garbageIsRefused() {
    pair.initiator.upgrade(security(initiatorKey), Direction.OUTBOUND, null);
    pair.initiator.channel.releaseOutbound();
    pair.initiator.channel.writeInbound(
        Unpooled.buffer().writeShort(200).writeBytes(new byte[] {9}).writeZero(199));
    assertFailed(pair.initiator, "handshake message 2 is not encrypted with the agreed key");
  }

  @Test
  void aCloseDuringTheHandshakeSaysSo() {
    pair.initiator.upgrade(security(initiatorKey), Direction.OUTBOUND, null);
    pair.initiator.channel.close();
    assertFailed(pair.initiator, "closed during the handshake");
  }

  @Test
  void anUpgradeOfAClosedChannelFails() {
    pair.initiator.channel.close();
    pair.initiator.upgrade(security(initiatorKey), Direction.OUTBOUND, null);
    assertFailed(pair.initiator, "closed before the handshake");
  }

  @Test
  void theFirstMessageLeavesWithWhatWasWrittenBeforeIt() {
    ByteBuf before = pair.initiator.bytes("header".getBytes());
    pair.initiator.channel.write(before);
    assertThat(pair.initiator.channel.outboundMessages()).isEmpty();
    pair.initiator.upgrade(security(initiatorKey), Direction.OUTBOUND, null);
    assertThat(pair.initiator.channel.outboundMessages()).hasSize(2);
  }

  @Test
  void whatTheInitiatorWritesAtOnceArrivesWithItsLastMessage() {
    pair.responder.upgrade(security(responderKey), Direction.INBOUND, null);
    pair.initiator.upgrade(security(initiatorKey), Direction.OUTBOUND, null);
    pair.initiator.session.thenRun(
        () -> pair.initiator.channel.writeAndFlush(pair.initiator.bytes("early".getBytes())));
    pair.move(pair.initiator, pair.responder, bytes -> bytes);
    pair.move(pair.responder, pair.initiator, bytes -> bytes);
    ByteBuf all = Unpooled.buffer();
    for (ByteBuf part = pair.initiator.channel.readOutbound();
        part != null;
        part = pair.initiator.channel.readOutbound()) {
      all.writeBytes(part);
      part.release();
    }
    pair.responder.channel.writeInbound(all);
    assertThat(pair.responder.session).isCompleted();
    assertThat(pair.responder.received).hasToString("early");
  }

  @Test
  void writesAreJoinedIntoOneFrameUntilTheFlush() {
    connect();
    ChannelFuture one = pair.initiator.channel.write(pair.initiator.bytes(new byte[100]));
    ChannelFuture two = pair.initiator.channel.write(pair.initiator.bytes(new byte[200]));
    assertThat(pair.initiator.channel.outboundMessages()).isEmpty();
    pair.initiator.channel.flush();
    assertThat(one.isSuccess()).isTrue();
    assertThat(two.isSuccess()).isTrue();
    assertThat(pair.initiator.channel.outboundMessages()).hasSize(1);
    assertThat(((ByteBuf) pair.initiator.channel.outboundMessages().peek()).readableBytes())
        .isEqualTo(2 + 300 + 16);
  }

  @Test
  void aLargeWriteFillsFramesAndCompletesWithTheLast() {
    connect();
    ChannelFuture written = pair.initiator.channel.write(pair.initiator.bytes(new byte[200_000]));
    // Full frames do not wait for the flush: they count as the transport's pending bytes.
    assertThat(written.isDone()).isFalse();
    assertThat(pair.initiator.channel.unsafe().outboundBuffer().totalPendingWriteBytes())
        .isGreaterThan(3 * 65_000);
    pair.initiator.channel.flush();
    assertThat(written.isSuccess()).isTrue();
    assertThat(pair.initiator.channel.outboundMessages())
        .map(frame -> ((ByteBuf) frame).readableBytes())
        .containsExactly(65_537, 65_537, 65_537, 200_000 - 3 * 65_519 + 18);
    pair.settle();
    assertThat(pair.responder.received.size()).isEqualTo(200_000);
  }

  @Test
  void aForgedFrameEndsTheConnectionAndNothingAfterItIsRead() {
    connect();
    pair.initiator.channel.writeAndFlush(pair.initiator.bytes(new byte[50]));
    ByteBuf frame = pair.initiator.channel.readOutbound();
    frame.setByte(10, frame.getByte(10) ^ 1);
    pair.initiator.channel.writeAndFlush(pair.initiator.bytes(new byte[50]));
    pair.responder.channel.writeInbound(frame);
    pair.settle();
    assertThat(pair.responder.failure)
        .isInstanceOf(PeerMisbehaviourException.class)
        .hasMessageContaining("forged or damaged on its way");
    assertThat(pair.responder.channel.isActive()).isFalse();
    assertThat(pair.responder.received.size()).isZero();
  }

  @Test
  void aFrameReplayedOrLostEndsTheConnection() {
    connect();
    pair.initiator.channel.writeAndFlush(pair.initiator.bytes(new byte[50]));
    ByteBuf frame = pair.initiator.channel.readOutbound();
    pair.responder.channel.writeInbound(frame.retainedDuplicate());
    assertThat(pair.responder.received.size()).isEqualTo(50);
    pair.responder.channel.writeInbound(frame);
    assertThat(pair.responder.failure).isInstanceOf(PeerMisbehaviourException.class);
  }

  @Test
  void aFrameWithoutRoomForItsTagIsRefused() {
    connect();
    pair.responder.channel.writeInbound(Unpooled.buffer().writeShort(15).writeZero(15));
    assertThat(pair.responder.failure)
        .hasMessageContaining("a frame of 15 bytes has no room for its tag");
  }

  @Test
  void aFrameOfNothingIsSkipped() {
    CipherState[] keys = {new CipherState(new byte[32]), new CipherState(new byte[32])};
    pair.responder.channel.pipeline().addLast(new NoiseCodec(keys[0], keys[1]));
    CipherState remote = new CipherState(new byte[32]);
    byte[] frame = new byte[18];
    frame[1] = 16;
    remote.encrypt(frame, 2, 0, null);
    pair.responder.channel.writeInbound(Unpooled.wrappedBuffer(frame));
    assertThat(pair.responder.channel.inboundMessages()).isEmpty();
    assertThat(pair.responder.channel.isActive()).isTrue();
  }

  @Test
  void theLastNonceEndsTheConnection() {
    CipherState nearEnd = new CipherState(new byte[32], -2);
    pair.initiator
        .channel
        .pipeline()
        .addLast(new NoiseCodec(nearEnd, new CipherState(new byte[32])));
    assertThat(pair.initiator.channel.writeAndFlush(pair.initiator.bytes(new byte[1])).isSuccess())
        .isTrue();
    ChannelFuture over = pair.initiator.channel.writeAndFlush(pair.initiator.bytes(new byte[1]));
    assertThat(over.cause())
        .isInstanceOf(Libp2pException.class)
        .hasMessageContaining("2^64 - 1 messages are used up");
    assertThat(pair.initiator.channel.isActive()).isFalse();
    assertThatThrownBy(pair.initiator.channel::checkException).isInstanceOf(Libp2pException.class);
  }

  @Test
  void whatWasNotFlushedFailsWithTheConnection() {
    connect();
    ChannelFuture written = pair.initiator.channel.write(pair.initiator.bytes(new byte[10]));
    pair.initiator.channel.pipeline().remove(NoiseCodec.class);
    assertThat(written.cause()).isInstanceOf(Libp2pException.class);
  }

  private void connect() {
    upgrade(List.of("/m"), List.of("/m"));
    pair.settle();
    assertThat(pair.initiator.session).isCompleted();
    assertThat(pair.responder.session).isCompleted();
  }

  private void upgrade(List<String> initiators, List<String> responders) {
    pair.responder.upgrade(new NoiseSecurity(responderKey, responders), Direction.INBOUND, null);
    pair.initiator.upgrade(new NoiseSecurity(initiatorKey, initiators), Direction.OUTBOUND, null);
  }

  private static NoiseSecurity security(PrivateKey key) {
    return new NoiseSecurity(key, List.of("/m"));
  }

  /// Runs a handshake whose initiator holds its keys, but lies in its payload.
  private void forge(Consumer<NoiseHandshakePayload.Builder> lie) {
    KeyPair25519 staticKey = KeyPair25519.generate(RANDOM);
    NoiseHandshakePayload.Builder payload =
        NoiseHandshakePayload.newBuilder()
            .setIdentityKey(ByteString.copyFrom(initiatorKey.publicKey().bytes()))
            .setIdentitySig(
                ByteString.copyFrom(initiatorKey.sign(NoiseSecurity.signed(staticKey.open()))));
    lie.accept(payload);
    pair.responder.upgrade(security(responderKey), Direction.INBOUND, null);
    pair.initiator.upgrade(
        new NoiseHandshakeHandler(
            new XxHandshake(true, staticKey, KeyPair25519.generate(RANDOM), new byte[0]),
            Direction.OUTBOUND,
            payload.build().toByteArray(),
            List.of("/m"),
            null));
    pair.settle();
  }

  private static void assertFailed(NoisePair.End end, String reason) {
    CompletableFuture<NoiseSession> session = end.session;
    assertThat(session).isCompletedExceptionally();
    assertThat(session.exceptionNow())
        .isInstanceOf(Libp2pException.class)
        .hasMessageContaining(reason);
    assertThat(end.channel.isActive()).isFalse();
  }
}

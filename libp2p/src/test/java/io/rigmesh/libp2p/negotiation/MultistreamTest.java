package io.rigmesh.libp2p.negotiation;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class MultistreamTest {
  private static final String HEADER = "\u0013/multistream/1.0.0\n";

  private final StringBuilder heard = new StringBuilder();
  private final EmbeddedChannel channel = held();

  /// A channel that reads only when it is asked, as a stream does.
  private static EmbeddedChannel held() {
    EmbeddedChannel channel = new EmbeddedChannel();
    channel.config().setAutoRead(false);
    return channel;
  }

  @AfterEach
  void releaseWhatIsLeft() {
    channel.finishAndReleaseAll();
  }

  private static ByteBuf bytes(String text) {
    return Unpooled.copiedBuffer(text, UTF_8);
  }

  private String written() {
    channel.runPendingTasks();
    StringBuilder text = new StringBuilder();
    for (ByteBuf out = channel.readOutbound(); out != null; out = channel.readOutbound()) {
      text.append(out.toString(UTF_8));
      out.release();
    }
    return text.toString();
  }

  private void listen() {
    channel
        .pipeline()
        .addLast(
            new ChannelInboundHandlerAdapter() {
              @Override
              public void channelRead(ChannelHandlerContext context, Object message) {
                ByteBuf bytes = (ByteBuf) message;
                heard.append(bytes.toString(UTF_8));
                bytes.release();
              }

              @Override
              public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
                heard.append("failed: ").append(cause.getMessage());
              }
            });
  }

  @Test
  void aSingleProposalIsAgreedAtOnceAndTravelsWithTheFirstBytes() {
    CompletableFuture<String> agreed =
        Multistream.propose(channel, List.of("/echo/1"), Multistream.Then.HOLD_UNTIL_READ);
    assertThat(agreed).isCompletedWithValue("/echo/1");
    channel.write(bytes("hello"));
    channel.flush();
    assertThat(written()).isEqualTo(HEADER + "\u0008/echo/1\nhello");
  }

  @Test
  void aSingleProposalIsFlushedEvenWhenNothingIsWritten() {
    Multistream.propose(channel, List.of("/echo/1"), Multistream.Then.HOLD_UNTIL_READ);
    assertThat(written()).isEqualTo(HEADER + "\u0008/echo/1\n");
  }

  @Test
  void theNextProposalFollowsARefusal() {
    CompletableFuture<String> agreed =
        Multistream.propose(
            channel, List.of("/echo/2", "/echo/1"), Multistream.Then.HOLD_UNTIL_READ);
    assertThat(written()).isEqualTo(HEADER + "\u0008/echo/2\n");
    channel.writeInbound(bytes(HEADER + "\u0003na\n"));
    assertThat(agreed).isNotDone();
    assertThat(written()).isEqualTo("\u0008/echo/1\n");
    channel.writeInbound(bytes("\u0008/echo/1\n"));
    assertThat(agreed).isCompletedWithValue("/echo/1");
  }

  @Test
  void whatFollowsTheAgreementWaitsUntilSomebodyReads() {
    Multistream.propose(channel, List.of("/a", "/b"), Multistream.Then.HOLD_UNTIL_READ);
    listen();
    channel.writeInbound(bytes(HEADER + "\u0003/a\nearly"));
    channel.writeInbound(bytes(" bytes"));
    assertThat(heard).isEmpty();
    channel.read();
    assertThat(heard.toString()).isEqualTo("early bytes");
    channel.writeInbound(bytes(" and later"));
    assertThat(heard.toString()).isEqualTo("early bytes and later");
  }

  @Test
  void whatFollowsIsPassedOnAtOnceWhereThatIsAsked() {
    Multistream.answer(channel, name -> true, Multistream.Then.PASS_ON);
    listen();
    channel.writeInbound(bytes(HEADER + "\u0007/noise\nhandshake"));
    assertThat(heard.toString()).isEqualTo("handshake");
    assertThat(written()).isEqualTo(HEADER + "\u0007/noise\n");
  }

  @Test
  void aRefusedLazyProposalReachesTheHandlersAndClosesTheChannel() {
    Multistream.propose(channel, List.of("/echo/9"), Multistream.Then.HOLD_UNTIL_READ);
    listen();
    channel.read();
    channel.writeInbound(bytes(HEADER + "\u0003na\n"));
    assertThat(heard.toString()).contains("The remote speaks none of /echo/9");
    assertThat(channel.isActive()).isFalse();
  }

  @Test
  void linesAreUnderstoodHoweverTheyAreCut() {
    CompletableFuture<String> agreed =
        Multistream.answer(channel, "/b"::equals, Multistream.Then.HOLD_UNTIL_READ);
    for (char one : (HEADER + "\u0003/a\n\u0003/b\n").toCharArray()) {
      channel.writeInbound(bytes(String.valueOf(one)));
    }
    assertThat(agreed).isCompletedWithValue("/b");
    assertThat(written()).isEqualTo(HEADER + "\u0003na\n\u0003/b\n");
  }

  @Test
  void aHeaderAloneIsAnswered() {
    Multistream.answer(channel, name -> true, Multistream.Then.HOLD_UNTIL_READ);
    channel.writeInbound(bytes(HEADER));
    assertThat(written()).isEqualTo(HEADER);
  }

  @Test
  void aTooLongLineIsMisbehaviourBeforeItsBytesArrive() {
    CompletableFuture<String> agreed =
        Multistream.answer(channel, name -> true, Multistream.Then.HOLD_UNTIL_READ);
    listen();
    channel.writeInbound(Unpooled.wrappedBuffer(new byte[] {(byte) 0x81, 0x08}));
    assertThatThrownBy(agreed::join)
        .hasCauseInstanceOf(PeerMisbehaviourException.class)
        .hasMessageContaining("1025 bytes");
    assertThat(channel.isActive()).isFalse();
  }

  @Test
  void endlessProposalsAreMisbehaviour() {
    CompletableFuture<String> agreed =
        Multistream.answer(channel, name -> false, Multistream.Then.HOLD_UNTIL_READ);
    listen();
    channel.writeInbound(bytes(HEADER + "\u0003/a\n".repeat(Responder.PROPOSALS_MAX + 1)));
    assertThatThrownBy(agreed::join).hasMessageContaining("over 64 proposals");
  }
}

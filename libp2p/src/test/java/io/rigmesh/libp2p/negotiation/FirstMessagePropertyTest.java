package io.rigmesh.libp2p.negotiation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.StreamResetException;
import io.rigmesh.libp2p.StreamTimeoutException;
import io.rigmesh.libp2p.multiformats.Varint;
import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.lifecycle.BeforeTry;

class FirstMessagePropertyTest {
  private static final int BYTES_MAX = 300;

  private EmbeddedChannel channel = held();
  private CompletableFuture<byte[]> message = new CompletableFuture<>();
  private ByteArrayOutputStream behind = new ByteArrayOutputStream();
  private boolean ended;

  @BeforeTry
  void begin() {
    channel = held();
    message = FirstMessage.read(channel, "/test", BYTES_MAX, Duration.ofSeconds(10));
    behind = new ByteArrayOutputStream();
    ended = false;
  }

  /// A channel that reads only when it is asked, as a stream does.
  private static EmbeddedChannel held() {
    EmbeddedChannel channel = new EmbeddedChannel();
    channel.config().setAutoRead(false);
    return channel;
  }

  private void takeOver() {
    channel
        .pipeline()
        .addLast(
            new ChannelInboundHandlerAdapter() {
              @Override
              public void channelRead(ChannelHandlerContext context, Object part) {
                ByteBuf bytes = (ByteBuf) part;
                byte[] out = new byte[bytes.readableBytes()];
                bytes.readBytes(out);
                behind.writeBytes(out);
                bytes.release();
              }

              @Override
              public void userEventTriggered(ChannelHandlerContext context, Object event) {
                ended |= event instanceof ChannelInputShutdownEvent;
              }
            });
    channel.read();
  }

  private void receive(byte[] bytes) {
    channel.writeInbound(Unpooled.copiedBuffer(bytes));
  }

  @Property(tries = 200)
  void takesTheMessageAndLeavesTheRestHoweverTheyAreCut(
      @ForAll @Size(max = BYTES_MAX) byte[] first,
      @ForAll @Size(max = 50) byte[] rest,
      @ForAll @IntRange(min = 1, max = 20) int step) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    Varint.write(first.length, all);
    all.writeBytes(first);
    all.writeBytes(rest);
    byte[] bytes = all.toByteArray();
    for (int at = 0; at < bytes.length; at += step) {
      receive(Arrays.copyOfRange(bytes, at, Math.min(bytes.length, at + step)));
    }
    channel.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
    assertThat(message.join()).isEqualTo(first);
    assertThat(behind.toByteArray()).as("nobody listens yet").isEmpty();
    takeOver();
    assertThat(behind.toByteArray()).isEqualTo(rest);
    assertThat(ended).isTrue();
    assertThat(channel.pipeline().get(FirstMessage.class)).isNull();
    channel.finishAndReleaseAll();
  }

  @Example
  void refusesALengthOverTheLimitBeforeTheMessageComes() {
    receive(Varint.encode(BYTES_MAX + 1));
    assertThatThrownBy(message::join)
        .hasCauseInstanceOf(PeerMisbehaviourException.class)
        .hasMessageContaining("over 300");
  }

  @Example
  void refusesALengthWithoutEnd() {
    receive(new byte[] {-128, -128, -128, -128, -128});
    assertThatThrownBy(message::join)
        .hasCauseInstanceOf(PeerMisbehaviourException.class)
        .hasMessageContaining("over five bytes");
  }

  @Example
  void failsWhenTheStreamEndsFirst() {
    receive(new byte[] {5, 1});
    channel.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
    assertThatThrownBy(message::join).hasCauseInstanceOf(PeerMisbehaviourException.class);
  }

  @Example
  void failsWhenTheStreamIsResetFirst() {
    channel.close();
    assertThatThrownBy(message::join).hasCauseInstanceOf(StreamResetException.class);
  }

  @Example
  void failsWhenNothingComesInTime() {
    channel.advanceTimeBy(11, java.util.concurrent.TimeUnit.SECONDS);
    channel.runScheduledPendingTasks();
    assertThatThrownBy(message::join).hasCauseInstanceOf(StreamTimeoutException.class);
  }
}

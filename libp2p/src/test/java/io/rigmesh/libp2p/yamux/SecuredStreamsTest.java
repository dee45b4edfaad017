package io.rigmesh.libp2p.yamux;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.libp2p.resource.ConnectionScope;
import io.rigmesh.libp2p.resource.ResourceManager;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class SecuredStreamsTest {
  private final ConnectionScope scope =
      ResourceManager.unlimited()
          .openConnection(Direction.OUTBOUND, Multiaddr.of("/ip4/127.0.0.1/tcp/1"));

  @Test
  void everyByteArrivesInOrderAndTheEndAfterThem() throws Exception {
    CompletableFuture<byte[]> digest = new CompletableFuture<>();
    try (SecuredPair pair =
        new SecuredPair(
            scope,
            stream -> {},
            stream -> {
              stream.pipeline().addLast(new Digest(digest));
              stream.config().setAutoRead(true);
            })) {
      DuplexChannel stream = pair.dialer.open().get(10, TimeUnit.SECONDS);
      MessageDigest sent = MessageDigest.getInstance("SHA-256");
      Random random = new Random(1);
      for (int i = 0; i < 200; i++) {
        byte[] bytes = new byte[random.nextInt(200_000)];
        random.nextBytes(bytes);
        sent.update(bytes);
        stream.writeAndFlush(Unpooled.wrappedBuffer(bytes));
      }
      stream.shutdownOutput().get(20, TimeUnit.SECONDS);
      assertThat(digest.get(20, TimeUnit.SECONDS)).isEqualTo(sent.digest());
    }
  }

  /// Hashes what arrives, answers at the end with its own end.
  private static final class Digest extends ChannelInboundHandlerAdapter {
    private final MessageDigest received;
    private final CompletableFuture<byte[]> digest;

    Digest(CompletableFuture<byte[]> digest) {
      try {
        this.received = MessageDigest.getInstance("SHA-256");
      } catch (NoSuchAlgorithmException e) {
        throw new IllegalStateException(e);
      }
      this.digest = digest;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      ByteBuf bytes = (ByteBuf) message;
      received.update(bytes.nioBuffer());
      bytes.release();
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
      if (event instanceof ChannelInputShutdownEvent) {
        digest.complete(received.digest());
        ((DuplexChannel) context.channel()).shutdownOutput();
      }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      digest.completeExceptionally(cause);
    }
  }
}

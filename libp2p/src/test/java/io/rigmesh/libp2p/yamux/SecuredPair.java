package io.rigmesh.libp2p.yamux;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.identity.Ed25519PrivateKey;
import io.rigmesh.libp2p.noise.NoiseSecurity;
import io.rigmesh.libp2p.resource.ConnectionScope;
import io.rigmesh.libp2p.transport.StreamAcceptor;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.security.SecureRandom;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/// Two yamux sessions over Noise over a loopback socket, as nodes have them.
final class SecuredPair implements AutoCloseable {
  private final EventLoopGroup group =
      new MultiThreadIoEventLoopGroup(2, NioIoHandler.newFactory());
  private final Channel server;
  final YamuxSession dialer;
  final YamuxSession listener;

  SecuredPair(ConnectionScope scope, StreamAcceptor atDialer, StreamAcceptor atListener)
      throws Exception {
    CompletableFuture<YamuxSession> listening = new CompletableFuture<>();
    CompletableFuture<YamuxSession> dialing = new CompletableFuture<>();
    server =
        new ServerBootstrap()
            .group(group)
            .channel(NioServerSocketChannel.class)
            .childHandler(upgrader(Direction.INBOUND, scope, atListener, listening))
            .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .sync()
            .channel();
    new Bootstrap()
        .group(group)
        .channel(NioSocketChannel.class)
        .handler(upgrader(Direction.OUTBOUND, scope, atDialer, dialing))
        .connect(server.localAddress())
        .sync();
    dialer = dialing.get(60, TimeUnit.SECONDS);
    listener = listening.get(60, TimeUnit.SECONDS);
  }

  private static ChannelInitializer<Channel> upgrader(
      Direction role,
      ConnectionScope scope,
      StreamAcceptor streams,
      CompletableFuture<YamuxSession> session) {
    return new ChannelInitializer<>() {
      @Override
      protected void initChannel(Channel channel) {
        channel
            .pipeline()
            .addLast(
                new ChannelInboundHandlerAdapter() {
                  @Override
                  public void channelActive(ChannelHandlerContext context) {
                    new NoiseSecurity(
                            Ed25519PrivateKey.generate(new SecureRandom()),
                            List.of(YamuxSession.PROTOCOL))
                        .upgrade(channel, role, null)
                        .thenApply(secured ->
                            YamuxSession.attach(
                                channel, role, scope, streams, YamuxConfig.defaults()))
                        .whenComplete((done, failure) -> {
                          if (failure == null) {
                            session.complete(done);
                          } else {
                            session.completeExceptionally(failure);
                          }
                        });
                    context.pipeline().remove(this);
                  }
                });
      }
    };
  }

  @Override
  public void close() {
    dialer.close().orTimeout(60, TimeUnit.SECONDS).join();
    listener.closed().orTimeout(60, TimeUnit.SECONDS).join();
    server.close().syncUninterruptibly();
    group.shutdownGracefully(0, 0, TimeUnit.SECONDS).syncUninterruptibly();
  }
}

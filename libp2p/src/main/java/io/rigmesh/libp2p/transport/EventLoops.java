package io.rigmesh.libp2p.transport;

import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollDatagramChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.DatagramChannel;
import io.netty.channel.socket.nio.NioDatagramChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.util.concurrent.TimeUnit;

/// A host's event loops and the sockets that run on them: epoll where the system has it, NIO
/// elsewhere.
public final class EventLoops implements AutoCloseable {
  /// Where buffers of connections come from. Netty's default, the adaptive allocator, gives chunks
  /// back to the system and takes fresh ones all the time under a stream of full Noise frames,
  /// which have to be mapped and zeroed each time (seen in a profile of libp2p-stream).
  static final ByteBufAllocator ALLOCATOR = PooledByteBufAllocator.DEFAULT;

  private final EventLoopGroup group;
  private final boolean epoll;

  /// @param threads event loops; zero for one per processor, at most four
  public EventLoops(int threads) {
    int count = threads > 0 ? threads : Math.min(4, Runtime.getRuntime().availableProcessors());
    this.epoll = Epoll.isAvailable();
    this.group =
        new MultiThreadIoEventLoopGroup(
            count,
            new DefaultThreadFactory("libp2p", true),
            epoll ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());
  }

  public EventLoopGroup group() {
    return group;
  }

  /// Whether sockets are epoll's, which can dial from a port that is listened on.
  public boolean epoll() {
    return epoll;
  }

  public Class<? extends Channel> socketType() {
    return epoll ? EpollSocketChannel.class : NioSocketChannel.class;
  }

  public Class<? extends ServerChannel> serverSocketType() {
    return epoll ? EpollServerSocketChannel.class : NioServerSocketChannel.class;
  }

  public Class<? extends DatagramChannel> datagramType() {
    return epoll ? EpollDatagramChannel.class : NioDatagramChannel.class;
  }

  /// Stops the loops; returns when their descriptors are closed.
  @Override
  public void close() {
    group.shutdownGracefully(0, 5, TimeUnit.SECONDS).awaitUninterruptibly(10, TimeUnit.SECONDS);
  }
}

package io.rigmesh.libp2p.transport.quic;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandler;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.DatagramPacket;
import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Lets one UDP socket accept and dial: Netty's QUIC codec is either a server's or a client's, and
/// each takes every packet for its own. The client's connections are known by the ids that were
/// chosen for them; all other packets are the server's. Used on one event loop.
///
/// In the pipeline it stands first, then the server's codec, then the client's: packets to send go
/// through both, towards the socket.
final class PacketRouter extends ChannelInboundHandlerAdapter {
  private static final Logger LOG = LoggerFactory.getLogger(PacketRouter.class);

  /// The length of the connection ids chosen here.
  static final int ID_BYTES = 20;

  /// A first packet is padded to this size by the client (RFC 9000, section 14.1); a smaller one is
  /// an attempt to have more sent to a forged address than was received from it.
  private static final int INITIAL_BYTES_MIN = 1200;

  private static final int LONG_HEADER = 0x80;
  private static final int LONG_TYPE = 0x30;
  private static final int SHORT_ID_OFFSET = 1;
  private static final int LONG_ID_LENGTH_OFFSET = 5;

  private final @Nullable ChannelInboundHandler server;
  private final ChannelInboundHandler client;
  private final Set<ByteBuffer> dialled = new HashSet<>();
  private final byte[] id = new byte[ID_BYTES];
  private @Nullable ChannelHandlerContext serverContext;
  private @Nullable ChannelHandlerContext clientContext;

  PacketRouter(@Nullable ChannelInboundHandler server, ChannelInboundHandler client) {
    this.server = server;
    this.client = client;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext context) {
    if (server != null) {
      context.pipeline().addLast(server);
      serverContext = context.pipeline().context(server);
    }
    context.pipeline().addLast(client);
    clientContext = context.pipeline().context(client);
  }

  void add(byte[] connectionId) {
    dialled.add(ByteBuffer.wrap(connectionId));
  }

  void remove(byte[] connectionId) {
    dialled.remove(ByteBuffer.wrap(connectionId));
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) throws Exception {
    DatagramPacket packet = (DatagramPacket) message;
    if (isDialled(packet.content())) {
      client.channelRead(clientContext, packet);
    } else if (server != null && !isSmallInitial(packet.content())) {
      server.channelRead(serverContext, packet);
    } else {
      packet.release();
    }
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext context) throws Exception {
    if (server != null) {
      server.channelReadComplete(serverContext);
    }
    client.channelReadComplete(clientContext);
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    LOG.debug("QUIC socket {}: {}", context.channel().localAddress(), cause.toString());
  }

  private boolean isDialled(ByteBuf packet) {
    int at = packet.readerIndex();
    int offset = SHORT_ID_OFFSET;
    if (packet.isReadable() && (packet.getByte(at) & LONG_HEADER) != 0) {
      offset = LONG_ID_LENGTH_OFFSET + 1;
      if (packet.readableBytes() < offset
          || packet.getByte(at + LONG_ID_LENGTH_OFFSET) != ID_BYTES) {
        return false;
      }
    }
    if (packet.readableBytes() < offset + ID_BYTES) {
      return false;
    }
    packet.getBytes(at + offset, id);
    return dialled.contains(ByteBuffer.wrap(id));
  }

  private static boolean isSmallInitial(ByteBuf packet) {
    if (packet.readableBytes() >= INITIAL_BYTES_MIN) {
      return false;
    }
    if (packet.readableBytes() < LONG_ID_LENGTH_OFFSET) {
      return true;
    }
    int first = packet.getByte(packet.readerIndex());
    boolean versionOne = packet.getInt(packet.readerIndex() + 1) == 1;
    return (first & LONG_HEADER) != 0 && ((first & LONG_TYPE) == 0 || !versionOne);
  }
}

package io.rigmesh.libp2p.transport.quic;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.quic.QuicTokenHandler;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/// Makes a remote prove that it receives at its address before any memory is taken for it (RFC
/// 9000, section 8.1.2, Retry), but only while many handshakes are open: the proof costs an honest
/// remote a round trip. Used on one event loop.
///
/// A token is the time it ends, a MAC over that time, the address and the connection id, and the
/// connection id itself.
final class AddressTokens implements QuicTokenHandler {
  private static final long VALID_SECONDS = 15;
  private static final int TIME_BYTES = 8;
  private static final int MAC_BYTES = 16;
  private static final int ID_BYTES_MAX = 20;

  private final BooleanSupplier needed;
  private final LongSupplier clockSeconds;
  private final Mac mac;

  /// @param needed whether an unproven address must prove itself now
  AddressTokens(BooleanSupplier needed, LongSupplier clockSeconds) {
    this.needed = needed;
    this.clockSeconds = clockSeconds;
    byte[] key = new byte[32];
    new SecureRandom().nextBytes(key);
    try {
      this.mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(key, "HmacSHA256"));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("This Java runtime lacks HMAC-SHA-256", e);
    }
  }

  @Override
  public boolean writeToken(ByteBuf out, ByteBuf connectionId, InetSocketAddress address) {
    if (!needed.getAsBoolean()) {
      return false;
    }
    long end = clockSeconds.getAsLong() + VALID_SECONDS;
    byte[] id = new byte[connectionId.readableBytes()];
    connectionId.getBytes(connectionId.readerIndex(), id);
    out.writeLong(end).writeBytes(mac(end, address, id)).writeBytes(id);
    return true;
  }

  @Override
  public int validateToken(ByteBuf token, InetSocketAddress address) {
    int idBytes = token.readableBytes() - TIME_BYTES - MAC_BYTES;
    if (idBytes < 0 || idBytes > ID_BYTES_MAX) {
      return -1;
    }
    long end = token.readLong();
    byte[] claimed = new byte[MAC_BYTES];
    token.readBytes(claimed);
    byte[] id = new byte[idBytes];
    token.readBytes(id);
    boolean valid =
        clockSeconds.getAsLong() <= end && MessageDigest.isEqual(claimed, mac(end, address, id));
    return valid ? TIME_BYTES + MAC_BYTES : -1;
  }

  @Override
  public int maxTokenLength() {
    return TIME_BYTES + MAC_BYTES + ID_BYTES_MAX;
  }

  private byte[] mac(long end, InetSocketAddress address, byte[] id) {
    mac.update(ByteBuffer.allocate(TIME_BYTES).putLong(end).flip());
    byte[] ip = address.getAddress().getAddress();
    mac.update((byte) ip.length);
    mac.update(ip);
    mac.update(ByteBuffer.allocate(2).putShort((short) address.getPort()).flip());
    return Arrays.copyOf(mac.doFinal(id), MAC_BYTES);
  }
}

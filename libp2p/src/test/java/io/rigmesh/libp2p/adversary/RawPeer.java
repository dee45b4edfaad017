package io.rigmesh.libp2p.adversary;

import io.rigmesh.libp2p.identity.Ed25519PrivateKey;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Arrays;

/// A peer over a plain socket that says what it likes, layer by layer: multistream lines, Noise
/// messages, yamux frames.
final class RawPeer implements AutoCloseable {
  static final int DATA = 0;
  static final int WINDOW_UPDATE = 1;
  static final int PING = 2;
  static final int GO_AWAY = 3;
  static final int SYN = 1;
  static final int ACK = 2;
  static final int FIN = 4;
  static final int RST = 8;

  private final Socket socket = new Socket();
  private final DataInputStream in;
  private final OutputStream out;
  private final RawNoise noise = new RawNoise();
  private boolean secured;
  private byte[] plain = new byte[0];

  RawPeer(InetSocketAddress address) throws IOException {
    socket.connect(address, 60_000);
    socket.setTcpNoDelay(true);
    socket.setSoTimeout(60_000);
    in = new DataInputStream(socket.getInputStream());
    out = socket.getOutputStream();
  }

  /// A yamux frame as the peer received it.
  record Frame(int type, int flags, int stream, int length, byte[] payload) {}

  /// Writes to the secure channel, or to the bare socket before there is one.
  void write(byte[] bytes) throws IOException {
    if (secured) {
      for (int at = 0; at < bytes.length; at += 65_519) {
        sendNoise(sealed(Arrays.copyOfRange(bytes, at, Math.min(bytes.length, at + 65_519))));
      }
    } else {
      out.write(bytes);
    }
  }

  /// Writes to the socket below the secure channel.
  void writeRaw(byte[] bytes) throws IOException {
    out.write(bytes);
  }

  /// Reads exactly so many bytes of the secure channel, or of the socket before there is one.
  byte[] read(int length) throws IOException {
    if (!secured) {
      byte[] bytes = new byte[length];
      in.readFully(bytes);
      return bytes;
    }
    while (plain.length < length) {
      byte[] sealed = new byte[in.readUnsignedShort()];
      in.readFully(sealed);
      plain = concatenated(plain, opened(sealed));
    }
    byte[] bytes = Arrays.copyOfRange(plain, 0, length);
    plain = Arrays.copyOfRange(plain, length, plain.length);
    return bytes;
  }

  static byte[] line(String text) {
    byte[] bytes = (text + "\n").getBytes(StandardCharsets.UTF_8);
    return concatenated(varint(bytes.length), bytes);
  }

  String readLine() throws IOException {
    byte[] bytes = read((int) readVarint());
    return new String(bytes, 0, bytes.length - 1, StandardCharsets.UTF_8);
  }

  /// Agrees on Noise and shakes hands as an honest peer with this key.
  RawPeer secure(Ed25519PrivateKey key) throws IOException, GeneralSecurityException {
    negotiateNoise();
    secure(payload(key.publicKey().bytes(), key.sign(toSign())));
    return this;
  }

  /// Agrees on the protocol of the secure channel.
  void negotiateNoise() throws IOException {
    write(concatenated(line("/multistream/1.0.0"), line("/noise")));
    expect("/multistream/1.0.0");
    expect("/noise");
  }

  /// Shakes hands with this payload in message 3.
  void secure(byte[] payload) throws IOException, GeneralSecurityException {
    sendNoise(noise.first());
    byte[] second = new byte[in.readUnsignedShort()];
    in.readFully(second);
    noise.second(second);
    sendNoise(noise.third(payload));
    secured = true;
  }

  /// What a peer signs with its identity key.
  byte[] toSign() {
    return concatenated(
        "noise-libp2p-static-key:".getBytes(StandardCharsets.US_ASCII), noise.staticPublicKey());
  }

  /// The payload of a handshake: identity, signature, and yamux as the muxer.
  static byte[] payload(byte[] publicKey, byte[] signature) {
    byte[] muxers = field(2, "/yamux/1.0.0".getBytes(StandardCharsets.US_ASCII));
    return concatenated(field(1, publicKey), field(2, signature), field(4, muxers));
  }

  /// A length-delimited protobuf field.
  static byte[] field(int number, byte[] value) {
    return concatenated(varint((long) number << 3 | 2), varint(value.length), value);
  }

  /// Sends a yamux frame whose length field is that of the payload.
  void frame(int type, int flags, int stream, byte[] payload) throws IOException {
    frame(type, flags, stream, payload.length, payload);
  }

  /// Sends a yamux frame with any length field.
  void frame(int type, int flags, int stream, int length, byte[] payload) throws IOException {
    write(bytesOf(type, flags, stream, length, payload));
  }

  static byte[] bytesOf(int type, int flags, int stream, int length, byte[] payload) {
    return ByteBuffer.allocate(12 + payload.length)
        .put((byte) 0)
        .put((byte) type)
        .putShort((short) flags)
        .putInt(stream)
        .putInt(length)
        .put(payload)
        .array();
  }

  Frame readFrame() throws IOException {
    ByteBuffer header = ByteBuffer.wrap(read(12));
    header.get();
    int type = header.get();
    int flags = header.getShort();
    int stream = header.getInt();
    int length = header.getInt();
    return new Frame(type, flags, stream, length, type == DATA ? read(length) : new byte[0]);
  }

  /// Reads frames until one with data on this stream, answering yamux's pings.
  Frame readData(int stream) throws IOException {
    while (true) {
      Frame frame = readFrame();
      if (frame.type() == PING && (frame.flags() & SYN) != 0) {
        frame(PING, ACK, 0, frame.length(), new byte[0]);
      } else if (frame.stream() == stream && (frame.flags() & RST) != 0) {
        throw new SocketException("stream " + stream + " was reset");
      } else if (frame.stream() == stream && frame.type() == DATA && frame.length() > 0) {
        return frame;
      }
    }
  }

  /// Opens a stream, proposing one protocol, without waiting for an answer.
  void open(int stream, String protocol, byte[] firstBytes) throws IOException {
    frame(DATA, SYN, stream, concatenated(line("/multistream/1.0.0"), line(protocol), firstBytes));
  }

  /// Waits until the host closes the connection, reading what it still sends.
  ///
  /// @return how long it took
  Duration awaitClosed(Duration patience) throws IOException {
    long start = System.nanoTime();
    byte[] sink = new byte[65_536];
    try {
      while (true) {
        long left = patience.toNanos() - (System.nanoTime() - start);
        if (left <= 0) {
          throw new AssertionError("the host did not disconnect within " + patience);
        }
        socket.setSoTimeout((int) Math.max(1, left / 1_000_000));
        if (in.read(sink) < 0) {
          break;
        }
      }
    } catch (SocketTimeoutException e) {
      throw new AssertionError("the host did not disconnect within " + patience, e);
    } catch (SocketException e) {
      // A reset closes as well.
    }
    return Duration.ofNanos(System.nanoTime() - start);
  }

  InetSocketAddress localAddress() {
    return (InetSocketAddress) socket.getLocalSocketAddress();
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }

  static Ed25519PrivateKey anyKey() {
    return Ed25519PrivateKey.generate(new SecureRandom());
  }

  static byte[] varint(long value) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    long rest = value;
    while ((rest & ~0x7fL) != 0) {
      bytes.write((int) (rest & 0x7f | 0x80));
      rest >>>= 7;
    }
    bytes.write((int) rest);
    return bytes.toByteArray();
  }

  static byte[] concatenated(byte[]... parts) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      bytes.writeBytes(part);
    }
    return bytes.toByteArray();
  }

  private long readVarint() throws IOException {
    long value = 0;
    for (int shift = 0; ; shift += 7) {
      byte b = read(1)[0];
      value |= (long) (b & 0x7f) << shift;
      if (b >= 0) {
        return value;
      }
    }
  }

  private void expect(String expected) throws IOException {
    String line = readLine();
    if (!line.equals(expected)) {
      throw new AssertionError("the host answered " + line + " where " + expected + " was due");
    }
  }

  private void sendNoise(byte[] message) throws IOException {
    out.write(
        ByteBuffer.allocate(2 + message.length)
            .putShort((short) message.length)
            .put(message)
            .array());
  }

  private byte[] sealed(byte[] bytes) throws IOException {
    try {
      return noise.encrypt(bytes);
    } catch (GeneralSecurityException e) {
      throw new IOException(e);
    }
  }

  private byte[] opened(byte[] bytes) throws IOException {
    try {
      return noise.decrypt(bytes);
    } catch (GeneralSecurityException e) {
      throw new IOException(e);
    }
  }
}

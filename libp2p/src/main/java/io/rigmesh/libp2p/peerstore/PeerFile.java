package io.rigmesh.libp2p.peerstore;

import com.google.protobuf.InvalidProtocolBufferException;
import io.rigmesh.libp2p.peerstore.wire.PeerStoreWire;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The peers on disk: eight bytes that name the format, the SHA-256 of the rest, and the rest. The
/// file is replaced whole, so that a crash leaves the old one or the new one.
final class PeerFile {
  private static final Logger LOG = LoggerFactory.getLogger(PeerFile.class);
  private static final byte[] FORMAT = "PEERS\n\0\1".getBytes(StandardCharsets.US_ASCII);
  private static final int HEADER_BYTES = FORMAT.length + 32;

  private final Path file;
  private final long bytesMax;

  /// @param bytesMax a larger file is not read
  PeerFile(Path file, long bytesMax) {
    this.file = file.toAbsolutePath();
    this.bytesMax = bytesMax;
  }

  Path path() {
    return file;
  }

  /// What was saved; nothing when there is no file. A file that is not whole is set aside under the
  /// name with `.damaged` behind it, with a warning: peers are learned anew.
  PeerStoreWire.Peers read() {
    try {
      return decoded(bytes());
    } catch (NoSuchFileException e) {
      return PeerStoreWire.Peers.getDefaultInstance();
    } catch (InvalidProtocolBufferException e) {
      setAside(String.valueOf(e.getMessage()));
    } catch (IOException e) {
      LOG.warn("The known peers in {} cannot be read and are learned anew: {}", file, e.toString());
    }
    return PeerStoreWire.Peers.getDefaultInstance();
  }

  private byte[] bytes() throws IOException {
    long size = Files.size(file);
    if (size > bytesMax) {
      throw new InvalidProtocolBufferException(
          "it has " + size + " bytes, over the limit of " + bytesMax);
    }
    try (InputStream in = Files.newInputStream(file)) {
      return in.readNBytes((int) bytesMax);
    }
  }

  private static PeerStoreWire.Peers decoded(byte[] bytes) throws InvalidProtocolBufferException {
    if (bytes.length < HEADER_BYTES
        || !Arrays.equals(bytes, 0, FORMAT.length, FORMAT, 0, FORMAT.length)) {
      throw new InvalidProtocolBufferException("it does not start like a file of peers");
    }
    byte[] body = Arrays.copyOfRange(bytes, HEADER_BYTES, bytes.length);
    if (!Arrays.equals(Arrays.copyOfRange(bytes, FORMAT.length, HEADER_BYTES), sha256(body))) {
      throw new InvalidProtocolBufferException("its checksum is wrong");
    }
    return PeerStoreWire.Peers.parseFrom(body);
  }

  void setAside(String reason) {
    Path aside = file.resolveSibling(file.getFileName() + ".damaged");
    try {
      Files.move(file, aside, StandardCopyOption.REPLACE_EXISTING);
      LOG.warn(
          "The known peers in {} are damaged ({}); the file is now {}, and peers are learned anew",
          file,
          reason,
          aside);
    } catch (IOException e) {
      LOG.warn(
          "The known peers in {} are damaged ({}), and the file cannot be set aside: {}",
          file,
          reason,
          e.toString());
    }
  }

  /// Replaces the file.
  void write(PeerStoreWire.Peers peers) throws IOException {
    byte[] body = peers.toByteArray();
    ByteBuffer out = ByteBuffer.allocate(HEADER_BYTES + body.length);
    out.put(FORMAT).put(sha256(body)).put(body).flip();
    Path parent = file.getParent();
    if (parent != null) {
      Files.createDirectories(parent);
    }
    Path next = file.resolveSibling(file.getFileName() + ".next");
    try (FileChannel channel =
        FileChannel.open(
            next,
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            StandardOpenOption.TRUNCATE_EXISTING)) {
      while (out.hasRemaining()) {
        channel.write(out);
      }
      channel.force(true);
    }
    Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  private static byte[] sha256(byte[] body) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(body);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("This Java runtime lacks SHA-256", e);
    }
  }
}

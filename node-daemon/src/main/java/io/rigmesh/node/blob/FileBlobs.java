package io.rigmesh.node.blob;

import io.rigmesh.node.config.BlobsConfig;
import io.rigmesh.protocol.BlobRoot;
import io.rigmesh.protocol.FolderManifest;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.MalformedException;
import io.rigmesh.protocol.MerkleTree;
import io.rigmesh.protocol.RefusalCode;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Blobs as read-only files `ab/cdef…` named by their root. A file appears under its name only when
/// all of it is on the disk and has that root, so a name can be trusted after any crash.
public final class FileBlobs implements Blobs {
  /// How long a blob that came half-way may wait for the rest.
  private static final Duration RESUME_MAX = Duration.ofDays(7);

  private static final Duration SWEEP_EVERY = Duration.ofHours(1);
  private static final Logger LOG = LoggerFactory.getLogger(FileBlobs.class);

  private final Path folder;
  private final Path incoming;
  private final Path leaves;
  private final BlobsConfig config;
  private final AtomicLong usedBytes = new AtomicLong();
  private volatile Instant sweptAt = Instant.EPOCH;

  private FileBlobs(Path folder, BlobsConfig config) {
    this.folder = folder;
    this.incoming = folder.resolve("incoming");
    this.leaves = folder.resolve("leaves");
    this.config = config;
  }

  /// The blobs below a folder, which is made if need be. What earlier processes left unfinished is
  /// removed, but for blobs that came chunk by chunk, which go on where they were.
  ///
  /// @throws BlobException if it cannot be made or read
  public static FileBlobs open(Path folder, BlobsConfig config) {
    FileBlobs blobs = new FileBlobs(folder, config);
    try {
      Files.createDirectories(blobs.incoming);
      Files.createDirectories(blobs.leaves);
      blobs.dropUnfinished(file -> !file.toString().endsWith(IncomingBlob.SUFFIX));
      blobs.usedBytes.set(blobs.count());
      return blobs;
    } catch (IOException e) {
      throw broken("The folder of blobs " + folder + " cannot be used", e);
    }
  }

  /// The bytes of all files, which may be millions: none is kept in memory.
  private long count() throws IOException {
    AtomicLong bytes = new AtomicLong();
    Files.walkFileTree(
        folder,
        EnumSet.noneOf(FileVisitOption.class),
        2,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            if (attributes.isRegularFile()) {
              bytes.addAndGet(attributes.size());
            }
            return FileVisitResult.CONTINUE;
          }
        });
    return bytes.get();
  }

  /// Removes what was not finished: what nobody went on with for a week, and what else is to go.
  private void dropUnfinished(Predicate<Path> more) throws IOException {
    sweptAt = Instant.now();
    Instant stale = sweptAt.minus(RESUME_MAX);
    try (Stream<Path> leftovers = Files.list(incoming)) {
      for (Path file : leftovers.toList()) {
        if (more.test(file) || Files.getLastModifiedTime(file).toInstant().isBefore(stale)) {
          Files.deleteIfExists(file);
        }
      }
    } catch (NoSuchFileException e) {
      // It was finished meanwhile; what is left goes the next time.
      LOG.debug("an unfinished blob is gone already", e);
    }
  }

  @Override
  public Hash put(InputStream in, Optional<Hash> expected, long bytesMax) {
    long most = Math.min(bytesMax, config.bytesMax());
    Path file = incoming();
    try {
      List<Hash> leaves = new ArrayList<>();
      long size = 0;
      try (FileChannel out =
          FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        for (byte[] chunk = in.readNBytes(BlobRoot.CHUNK_BYTES);
            chunk.length > 0;
            chunk = in.readNBytes(BlobRoot.CHUNK_BYTES)) {
          size += chunk.length;
          if (size > most) {
            throw new BlobRefusedException(
                RefusalCode.TOO_LARGE, "a blob has at most " + most + " bytes here; send less");
          }
          requireSpace(chunk.length);
          leaves.add(MerkleTree.leaf(chunk));
          write(out, chunk);
        }
        out.force(true);
      }
      Hash root = MerkleTree.root(leaves);
      if (expected.isPresent() && !expected.get().equals(root)) {
        throw new BlobRefusedException(
            RefusalCode.MALFORMED,
            "these "
                + size
                + " bytes have the root "
                + root
                + ", not "
                + expected.get()
                + "; send them again");
      }
      keep(file, root);
      keepLeaves(root, leaves);
      return root;
    } catch (IOException e) {
      throw broken("A blob cannot be written below " + folder, e);
    } finally {
      discard(file);
    }
  }

  @Override
  public boolean has(Hash root) {
    return Files.exists(path(root));
  }

  @Override
  public OptionalLong sizeBytes(Hash root) {
    try {
      return OptionalLong.of(Files.size(path(root)));
    } catch (NoSuchFileException e) {
      return OptionalLong.empty();
    } catch (IOException e) {
      throw broken("The blob " + root + " cannot be read", e);
    }
  }

  @Override
  public InputStream open(Hash root) {
    try {
      return Files.newInputStream(path(root));
    } catch (NoSuchFileException e) {
      throw missing(root);
    } catch (IOException e) {
      throw broken("The blob " + root + " cannot be read", e);
    }
  }

  @Override
  public List<Hash> putFolder(FolderManifest manifest) {
    byte[] bytes = manifest.canonicalBytes();
    if (bytes.length > FolderManifest.BYTES_MAX) {
      throw new BlobRefusedException(
          RefusalCode.TOO_LARGE,
          "a manifest has at most "
              + FolderManifest.BYTES_MAX
              + " bytes, this one "
              + bytes.length);
    }
    put(new ByteArrayInputStream(bytes), Optional.of(manifest.root()), bytes.length);
    return manifest.files().stream()
        .map(FolderManifest.File::root)
        .distinct()
        .filter(root -> !has(root))
        .toList();
  }

  @Override
  public List<Hash> leaves(Hash root) {
    long size = sizeBytes(root).orElseThrow(() -> missing(root));
    if (size <= BlobRoot.CHUNK_BYTES) {
      return size == 0 ? List.of() : List.of(root);
    }
    try {
      Path file = leaves.resolve(root.hex().substring(2));
      if (Files.exists(file)) {
        byte[] bytes = Files.readAllBytes(file);
        List<Hash> kept = new ArrayList<>();
        for (int at = 0; at + Hash.BYTES <= bytes.length; at += Hash.BYTES) {
          kept.add(Hash.of(Arrays.copyOfRange(bytes, at, at + Hash.BYTES)));
        }
        if (MerkleTree.root(kept).equals(root)) {
          return kept;
        }
      }
      List<Hash> found = new ArrayList<>();
      try (InputStream in = open(root)) {
        for (byte[] chunk = in.readNBytes(BlobRoot.CHUNK_BYTES);
            chunk.length > 0;
            chunk = in.readNBytes(BlobRoot.CHUNK_BYTES)) {
          found.add(MerkleTree.leaf(chunk));
        }
      }
      keepLeaves(root, found);
      return found;
    } catch (IOException e) {
      throw broken("The blob " + root + " cannot be read", e);
    }
  }

  /// Keeps what could be reckoned again, so that nothing has to be on the disk when this returns.
  private void keepLeaves(Hash root, List<Hash> hashes) throws IOException {
    if (hashes.size() < 2) {
      return;
    }
    Path file = leaves.resolve(root.hex().substring(2));
    if (Files.exists(file)) {
      return;
    }
    ByteBuffer bytes = ByteBuffer.allocate(hashes.size() * Hash.BYTES);
    hashes.forEach(hash -> bytes.put(hash.bytes()));
    Path partial = incoming();
    Files.write(partial, bytes.array());
    Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE);
  }

  @Override
  public byte[] chunk(Hash root, int index) {
    long at = (long) index * BlobRoot.CHUNK_BYTES;
    try (FileChannel in = FileChannel.open(path(root), StandardOpenOption.READ)) {
      long left = in.size() - at;
      if (index < 0 || left <= 0) {
        throw new BlobRefusedException(
            RefusalCode.MALFORMED, "the blob " + root + " has no chunk " + index);
      }
      ByteBuffer chunk = ByteBuffer.allocate((int) Math.min(left, BlobRoot.CHUNK_BYTES));
      while (chunk.hasRemaining() && in.read(chunk, at + chunk.position()) >= 0) {}
      return chunk.array();
    } catch (NoSuchFileException e) {
      throw missing(root);
    } catch (IOException e) {
      throw broken("The blob " + root + " cannot be read", e);
    }
  }

  @Override
  public IncomingBlob receive(Hash root, long sizeBytes, List<Hash> leaves) {
    if (sizeBytes > config.bytesMax()) {
      throw new BlobRefusedException(
          RefusalCode.TOO_LARGE,
          "a blob has at most " + config.bytesMax() + " bytes here, and this one " + sizeBytes);
    }
    if (sweptAt.plus(SWEEP_EVERY).isBefore(Instant.now())) {
      try {
        dropUnfinished(_ -> false);
      } catch (IOException e) {
        throw broken("What was left unfinished below " + incoming + " cannot be removed", e);
      }
    }
    Path file = incoming.resolve(root.hex().substring(2) + IncomingBlob.SUFFIX);
    try {
      requireSpace(sizeBytes);
      return IncomingBlob.open(
          file,
          root,
          sizeBytes,
          leaves,
          () -> {
            keep(file, root);
            keepLeaves(root, leaves);
          });
    } catch (IOException e) {
      throw broken("A blob cannot be written below " + folder, e);
    }
  }

  @Override
  public Optional<FolderManifest> manifest(Hash root) {
    if (sizeBytes(root).orElse(Long.MAX_VALUE) > FolderManifest.BYTES_MAX) {
      return Optional.empty();
    }
    try (InputStream in = open(root)) {
      return Optional.of(FolderManifest.fromCanonicalBytes(in.readAllBytes()));
    } catch (MalformedException e) {
      // A blob of another kind.
      return Optional.empty();
    } catch (IOException e) {
      throw broken("The manifest " + root + " cannot be read", e);
    }
  }

  @Override
  public Optional<FolderManifest> folder(Hash root) {
    Optional<FolderManifest> manifest = manifest(root);
    if (manifest.isEmpty()) {
      return manifest;
    }
    for (FolderManifest.File file : manifest.get().files()) {
      // The size that the manifest claims must be true too, since jobs are priced by it.
      if (!sizeBytes(file.root()).equals(OptionalLong.of(file.sizeBytes()))) {
        return Optional.empty();
      }
    }
    return manifest;
  }

  @Override
  public FolderManifest importFolder(Path source) {
    List<FolderManifest.File> files = new ArrayList<>();
    try (Stream<Path> found =
        Files.find(source, Integer.MAX_VALUE, (_, attributes) -> attributes.isRegularFile())) {
      for (Path file : found.sorted().toList()) {
        if (files.size() == FolderManifest.FILES_MAX) {
          throw new BlobRefusedException(
              RefusalCode.TOO_LARGE,
              source + " has more than " + FolderManifest.FILES_MAX + " files");
        }
        String path = source.relativize(file).toString().replace('\\', '/');
        files.add(new FolderManifest.File(path, Files.size(file), importFile(file)));
      }
    } catch (IOException e) {
      throw broken("The folder " + source + " cannot be read", e);
    }
    FolderManifest manifest = new FolderManifest(files);
    putFolder(manifest);
    return manifest;
  }

  /// Copied, never linked: a link would let whoever can write to the file change the blob.
  private Hash importFile(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      return put(in, Optional.empty(), config.bytesMax());
    }
  }

  @Override
  public void materialise(Hash root, Path target) {
    FolderManifest manifest = folder(root).orElseThrow(() -> missing(root));
    try {
      Files.createDirectory(target);
      for (FolderManifest.File file : manifest.files()) {
        Path path = target.resolve(file.path());
        Path parent = path.getParent();
        if (parent != null) {
          Files.createDirectories(parent);
        }
        lay(file.root(), path);
      }
    } catch (InvalidPathException e) {
      throw new BlobRefusedException(
          RefusalCode.MALFORMED,
          "the folder " + root + " has a path that this machine cannot have: " + e.getMessage());
    } catch (IOException e) {
      throw broken("The folder " + root + " cannot be laid out at " + target, e);
    }
  }

  @Override
  public void materialiseFile(Hash root, Path target) {
    if (!has(root)) {
      throw missing(root);
    }
    try {
      lay(root, target);
    } catch (IOException e) {
      throw broken("The blob " + root + " cannot be laid out at " + target, e);
    }
  }

  @Override
  public long usedBytes() {
    return usedBytes.get();
  }

  private void lay(Hash root, Path target) throws IOException {
    try {
      Files.createLink(target, path(root));
    } catch (FileAlreadyExistsException e) {
      throw e;
    } catch (IOException | UnsupportedOperationException e) {
      // Another file system, or one without links.
      Files.copy(path(root), target);
    }
  }

  private void keep(Path file, Hash root) throws IOException {
    Path target = path(root);
    Path parent = target.getParent();
    if (parent == null || Files.exists(target)) {
      return;
    }
    Files.createDirectories(parent);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("r--r--r--"));
    long size = Files.readAttributes(file, BasicFileAttributes.class).size();
    Files.move(file, target, StandardCopyOption.ATOMIC_MOVE);
    force(parent);
    force(folder);
    usedBytes.addAndGet(size);
  }

  /// Puts a folder's entries on the disk, so that a renamed file is there after a loss of power.
  private static void force(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  private void requireSpace(long bytes) throws IOException {
    long free = Files.getFileStore(incoming).getUsableSpace();
    if (free - bytes < config.freeBytesMin()) {
      throw new BlobException(
          "The disk of "
              + folder
              + " has "
              + (free >> 20)
              + " MiB free and blobs.free-bytes-min keeps "
              + (config.freeBytesMin() >> 20)
              + " MiB of it; make room.",
          new IOException("no space left"));
    }
  }

  private static void write(FileChannel out, byte[] chunk) throws IOException {
    ByteBuffer buffer = ByteBuffer.wrap(chunk);
    while (buffer.hasRemaining()) {
      out.write(buffer);
    }
  }

  private Path incoming() {
    return incoming.resolve(java.util.UUID.randomUUID() + ".part");
  }

  private static void discard(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      throw broken("The unfinished file " + file + " cannot be removed", e);
    }
  }

  private Path path(Hash root) {
    String hex = root.hex().substring(2);
    return folder.resolve(hex.substring(0, 2)).resolve(hex.substring(2));
  }

  private static BlobRefusedException missing(Hash root) {
    return new BlobRefusedException(
        RefusalCode.UNKNOWN_INPUT, "the bytes of " + root + " are not here; send them first");
  }

  private static BlobException broken(String what, IOException e) {
    return new BlobException(
        what + ": " + e.getMessage() + "; check the disk and its permissions.", e);
  }
}

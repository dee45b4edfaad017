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
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;

/// Blobs as read-only files `ab/cdef…` named by their root. A file appears under its name only when
/// all of it is on the disk and has that root, so a name can be trusted after any crash.
public final class FileBlobs implements Blobs {
  private final Path folder;
  private final Path incoming;
  private final BlobsConfig config;
  private final AtomicLong usedBytes = new AtomicLong();

  private FileBlobs(Path folder, BlobsConfig config) {
    this.folder = folder;
    this.incoming = folder.resolve("incoming");
    this.config = config;
  }

  /// The blobs below a folder, which is made if need be. What earlier processes left unfinished is
  /// removed.
  ///
  /// @throws BlobException if it cannot be made or read
  public static FileBlobs open(Path folder, BlobsConfig config) {
    FileBlobs blobs = new FileBlobs(folder, config);
    try {
      Files.createDirectories(blobs.incoming);
      try (Stream<Path> leftovers = Files.list(blobs.incoming)) {
        for (Path file : leftovers.toList()) {
          Files.deleteIfExists(file);
        }
      }
      try (Stream<Path> files =
          Files.find(folder, 2, (_, attributes) -> attributes.isRegularFile())) {
        for (Path file : files.toList()) {
          blobs.usedBytes.addAndGet(Files.size(file));
        }
      }
      return blobs;
    } catch (IOException e) {
      throw broken("The folder of blobs " + folder + " cannot be used", e);
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
  public Optional<FolderManifest> folder(Hash root) {
    if (sizeBytes(root).orElse(Long.MAX_VALUE) > FolderManifest.BYTES_MAX) {
      return Optional.empty();
    }
    FolderManifest manifest;
    try (InputStream in = open(root)) {
      manifest = FolderManifest.fromCanonicalBytes(in.readAllBytes());
    } catch (MalformedException e) {
      // A blob of another kind.
      return Optional.empty();
    } catch (IOException e) {
      throw broken("The manifest " + root + " cannot be read", e);
    }
    for (FolderManifest.File file : manifest.files()) {
      // The size that the manifest claims must be true too, since jobs are priced by it.
      if (!sizeBytes(file.root()).equals(OptionalLong.of(file.sizeBytes()))) {
        return Optional.empty();
      }
    }
    return Optional.of(manifest);
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

  private void requireSpace(int bytes) throws IOException {
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

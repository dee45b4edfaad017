package io.rigmesh.worker.task;

import io.rigmesh.protocol.BlobRoot;
import io.rigmesh.protocol.FolderManifest;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.MalformedException;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/// Folders as the market names them: by the manifest of the files in them.
public final class Folders {
  private static final int DEPTH_MAX = 16;

  private Folders() {}

  /// The manifest of all files in a folder and the folders in it. Symbolic links are refused: what
  /// they point to could change behind the root.
  ///
  /// @throws InvalidJobException if the folder is missing, or holds something else than files, or
  ///   too many of them
  /// @throws UncheckedIOException if a file cannot be read
  public static FolderManifest manifest(Path folder) {
    if (!Files.isDirectory(folder)) {
      throw new InvalidJobException("The folder " + folder + " is missing.");
    }
    List<FolderManifest.File> files = new ArrayList<>();
    try (Stream<Path> entries = Files.walk(folder, DEPTH_MAX)) {
      for (Path entry : (Iterable<Path>) entries::iterator) {
        if (Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS)) {
          continue;
        }
        if (!Files.isRegularFile(entry, LinkOption.NOFOLLOW_LINKS)) {
          throw new InvalidJobException(
              entry + " is a link or no plain file; put the file itself there.");
        }
        if (files.size() == FolderManifest.FILES_MAX) {
          throw new InvalidJobException(
              folder + " holds more than " + FolderManifest.FILES_MAX + " files.");
        }
        files.add(file(folder, entry));
      }
      return new FolderManifest(files);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + folder + ": " + e.getMessage(), e);
    } catch (MalformedException e) {
      throw new InvalidJobException("The folder " + folder + " has no root: " + e.sentence(), e);
    }
  }

  /// The root of one file's bytes.
  ///
  /// @throws UncheckedIOException if it cannot be read
  public static Hash rootOf(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      return BlobRoot.of(in);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
    }
  }

  /// Makes a folder, and those above it, unless it is there.
  static Path make(Path folder) {
    try {
      return Files.createDirectories(folder);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot make " + folder + ": " + e.getMessage(), e);
    }
  }

  /// Deletes a folder and all in it; nothing happens if it is not there.
  public static void delete(Path folder) {
    if (!Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    try (Stream<Path> entries = Files.walk(folder)) {
      for (Path entry : entries.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(entry);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot delete " + folder + ": " + e.getMessage(), e);
    }
  }

  /// Gives a folder another name in one step.
  static void rename(Path from, Path to) {
    try {
      Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot make " + to + ": " + e.getMessage(), e);
    }
  }

  /// Puts the files of a flat folder into another, by hard links where the file system has them:
  /// checkpoints are large and never change.
  static void link(Path from, Path to) {
    make(to);
    try (Stream<Path> files = Files.list(from)) {
      for (Path file : files.toList()) {
        linkFile(file, to.resolve(file.getFileName()));
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot copy " + from + ": " + e.getMessage(), e);
    }
  }

  /// Puts one file at a second place.
  static void linkFile(Path from, Path to) {
    try {
      try {
        Files.createLink(to, from);
      } catch (UnsupportedOperationException | IOException e) {
        // Another file system, or one without hard links.
        Files.copy(from, to);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + to + ": " + e.getMessage(), e);
    }
  }

  private static FolderManifest.File file(Path folder, Path entry) throws IOException {
    String path = folder.relativize(entry).toString().replace(File.separatorChar, '/');
    return new FolderManifest.File(path, Files.size(entry), rootOf(entry));
  }
}

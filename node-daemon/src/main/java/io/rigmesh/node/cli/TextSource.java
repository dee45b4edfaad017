package io.rigmesh.node.cli;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;

/// The text that a person names for training: one file, or a folder whose text files follow one
/// another sorted by path, so that the same folder always gives the same bytes.
///
/// @param text a file with all of it; the caller deletes it if [#temporary()]
/// @param files how many files went into it
/// @param temporary true if `text` was made for this
record TextSource(Path text, int files, boolean temporary) {
  /// Folders that hold what was built or fetched, not what was written.
  private static final Set<String> SKIPPED =
      Set.of("target", "node_modules", "build", "out", "dist", "cache", "__pycache__", "venv");

  private static final int FILES_MAX = 100_000;

  /// Prepares the text at `path`.
  ///
  /// @param bytesMax more text than this is refused
  /// @throws CliException if there is no text, or too much
  static TextSource of(Path path, long bytesMax) {
    try {
      if (Files.isRegularFile(path)) {
        return file(path, bytesMax);
      }
      if (Files.isDirectory(path)) {
        return folder(path, bytesMax);
      }
    } catch (IOException e) {
      throw CliException.hopeless("cannot read " + path + ": " + e.getMessage(), e);
    }
    throw CliException.hopeless("there is no file or folder " + path);
  }

  private static TextSource file(Path path, long bytesMax) throws IOException {
    long size = Files.size(path);
    if (size == 0) {
      throw CliException.hopeless(path + " is empty");
    }
    if (size > bytesMax) {
      throw tooMuch(path, bytesMax);
    }
    if (!isText(Files.readAllBytes(path))) {
      throw CliException.hopeless(path + " is not UTF-8 text; convert it first");
    }
    return new TextSource(path, 1, false);
  }

  private static TextSource folder(Path folder, long bytesMax) throws IOException {
    List<Path> paths = filesIn(folder);
    Path text = Files.createTempFile("rigmesh-text-", ".txt");
    int files = 0;
    long bytes = 0;
    try (OutputStream out = Files.newOutputStream(text)) {
      for (Path path : paths) {
        if (Files.size(path) == 0 || Files.size(path) > bytesMax) {
          continue;
        }
        byte[] content = Files.readAllBytes(path);
        if (!isText(content)) {
          continue;
        }
        bytes += content.length + 1L;
        if (bytes > bytesMax) {
          throw tooMuch(folder, bytesMax);
        }
        out.write(content);
        out.write('\n');
        files++;
      }
      if (files == 0) {
        throw CliException.hopeless("no UTF-8 text files in " + folder);
      }
    } catch (IOException | RuntimeException e) {
      Files.deleteIfExists(text);
      throw e;
    }
    return new TextSource(text, files, true);
  }

  private static List<Path> filesIn(Path folder) throws IOException {
    List<Path> paths = new ArrayList<>();
    Files.walkFileTree(
        folder,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path dir, BasicFileAttributes attributes) {
            return !dir.equals(folder) && isSkipped(dir)
                ? FileVisitResult.SKIP_SUBTREE
                : FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            if (attributes.isRegularFile() && !file.getFileName().toString().startsWith(".")) {
              paths.add(file);
            }
            if (paths.size() > FILES_MAX) {
              throw CliException.hopeless(
                  folder + " has more than " + FILES_MAX + " files; name a smaller folder");
            }
            return FileVisitResult.CONTINUE;
          }
        });
    // By the path's text with '/', which is the same on every system and in every locale.
    paths.sort(Comparator.comparing(p -> folder.relativize(p).toString().replace('\\', '/')));
    return paths;
  }

  private static boolean isSkipped(Path dir) {
    String name = dir.getFileName().toString();
    return name.startsWith(".") || SKIPPED.contains(name);
  }

  /// True for UTF-8 without NUL.
  private static boolean isText(byte[] bytes) {
    for (byte b : bytes) {
      if (b == 0) {
        return false;
      }
    }
    try {
      StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPORT)
          .onUnmappableCharacter(CodingErrorAction.REPORT)
          .decode(ByteBuffer.wrap(bytes));
      return true;
    } catch (CharacterCodingException e) {
      return false;
    }
  }

  private static CliException tooMuch(Path path, long bytesMax) {
    return CliException.hopeless(
        path
            + " has more than "
            + bytesMax
            + " bytes of text; name less, or raise --text-bytes-max");
  }

  /// Deletes the file if it was made for this.
  void discard() {
    if (temporary) {
      try {
        Files.deleteIfExists(text);
      } catch (IOException e) {
        throw new UncheckedIOException("cannot delete " + text, e);
      }
    }
  }
}

package io.rigmesh.worker.format;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/// A file to import from: a plain one, or an entry of a jar or zip, written
/// `model.jar!/entry.onnx`.
///
/// @param file the file, or the archive
/// @param entry the entry's name in the archive; empty for a plain file
public record SourceFile(Path file, Optional<String> entry) {

  /// Reads the form that a person writes.
  public static SourceFile parse(String text) {
    int mark = text.indexOf("!/");
    return mark < 0
        ? new SourceFile(Path.of(text), Optional.empty())
        : new SourceFile(Path.of(text.substring(0, mark)), Optional.of(text.substring(mark + 2)));
  }

  /// Gives the reader a plain file with the content: the file itself, or the entry unpacked into
  /// the directory for as long as the reader runs.
  ///
  /// @param bytesMax the longest content that is accepted, checked while it is unpacked, not only
  ///   as the archive declares it
  /// @throws ModelFormatException when the file or entry is missing or too long
  public <T> T read(Path directory, long bytesMax, Reader<T> reader) {
    if (!Files.isRegularFile(file)) {
      throw refused("file", "is missing or not a file");
    }
    try {
      if (entry.isEmpty()) {
        if (Files.size(file) > bytesMax) {
          throw refused("file", "is longer than the " + bytesMax + " bytes that are accepted");
        }
        return reader.read(file);
      }
      Path unpacked = Files.createTempFile(directory, "unpacked-", ".partial");
      try {
        unpack(entry.get(), unpacked, bytesMax);
        return reader.read(unpacked);
      } finally {
        Files.deleteIfExists(unpacked);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + this + ": " + e.getMessage(), e);
    }
  }

  private void unpack(String name, Path to, long bytesMax) throws IOException {
    try (ZipFile archive = new ZipFile(file.toFile())) {
      ZipEntry found = archive.getEntry(name);
      if (found == null) {
        throw refused("entry", "the archive has no entry of that name");
      }
      try (InputStream in = archive.getInputStream(found);
          OutputStream out = Files.newOutputStream(to)) {
        byte[] chunk = new byte[1 << 16];
        long total = 0;
        for (int count = in.read(chunk); count >= 0; count = in.read(chunk)) {
          total += count;
          if (total > bytesMax) {
            throw refused("entry", "is longer than the " + bytesMax + " bytes that are accepted");
          }
          out.write(chunk, 0, count);
        }
      }
    } catch (java.util.zip.ZipException e) {
      throw new ModelFormatException(
          toString(), "archive", ModelFormatException.NO_OFFSET, "is no zip: " + e.getMessage(), e);
    }
  }

  /// What reads the content.
  @FunctionalInterface
  public interface Reader<T> {
    /// Reads the plain file, which may be gone after the call.
    T read(Path content) throws IOException;
  }

  private ModelFormatException refused(String field, String problem) {
    return new ModelFormatException(toString(), field, ModelFormatException.NO_OFFSET, problem);
  }

  @Override
  public String toString() {
    return entry.map(name -> file + "!/" + name).orElse(file.toString());
  }
}

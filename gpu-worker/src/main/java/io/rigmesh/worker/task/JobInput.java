package io.rigmesh.worker.task;

import io.rigmesh.protocol.BlobRoot;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Job;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The files that a job names by their roots, checked against them before they are used.
public final class JobInput {
  /// The longest training text or list of sentences.
  public static final long TEXT_BYTES_MAX = 256L << 20;

  /// The longest prompt.
  public static final long PROMPT_BYTES_MAX = 4L << 20;

  private JobInput() {}

  /// The input of a job as text.
  ///
  /// @param bytesMax how long it may be
  /// @throws InvalidJobException if it is not the job's input, too long, or not UTF-8
  public static String text(Path file, Job job, long bytesMax) {
    byte[] bytes;
    try {
      if (!Files.isRegularFile(file)) {
        throw new InvalidJobException("The input file " + file + " is missing.");
      }
      if (Files.size(file) > bytesMax) {
        throw new InvalidJobException(
            "The input of a %s job has at most %d bytes, this one %d; cut it."
                .formatted(job.task().kind().id(), bytesMax, Files.size(file)));
      }
      bytes = Files.readAllBytes(file);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
    }
    Hash root = BlobRoot.of(bytes);
    if (!root.equals(job.input())) {
      throw new InvalidJobException(
          "The file %s has the root %s, but the job's input is %s."
              .formatted(file, root, job.input()));
    }
    return decode(bytes);
  }

  /// Lines of a text: LF ends a line, the last may lack it, and a CR before it is no part of it.
  /// Empty lines count.
  public static List<String> lines(String text) {
    List<String> lines = new ArrayList<>();
    for (int from = 0; from < text.length(); ) {
      int end = text.indexOf('\n', from);
      int to = end < 0 ? text.length() : end;
      boolean returned = end > from && text.charAt(end - 1) == '\r';
      lines.add(text.substring(from, returned ? to - 1 : to));
      from = to + 1;
    }
    return lines;
  }

  /// The model folder of a job, once its root is what the job names.
  ///
  /// @throws InvalidJobException if it is missing or another
  public static Path model(Optional<Path> folder, Job job) {
    Path path =
        folder.orElseThrow(() ->
            new InvalidJobException(
                "The job runs the model " + job.model() + ", but no model folder was given."));
    Hash root = Folders.manifest(path).root();
    if (!root.equals(job.model())) {
      throw new InvalidJobException(
          "The folder %s has the root %s, but the job's model is %s."
              .formatted(path, root, job.model()));
    }
    return path;
  }

  private static String decode(byte[] bytes) {
    CharsetDecoder decoder =
        StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPORT)
            .onUnmappableCharacter(CodingErrorAction.REPORT);
    ByteBuffer in = ByteBuffer.wrap(bytes);
    CharBuffer out = CharBuffer.allocate(bytes.length);
    CoderResult result = decoder.decode(in, out, true);
    if (result.isError()) {
      throw new InvalidJobException(
          "The input is not UTF-8 at byte " + in.position() + "; convert it first.");
    }
    return out.flip().toString();
  }
}

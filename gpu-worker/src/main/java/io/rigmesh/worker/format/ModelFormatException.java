package io.rigmesh.worker.format;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// A model file that cannot be used as it is: says which file, which field, at which byte, what is
/// wrong and what a person can do about it.
public final class ModelFormatException extends RuntimeException {

  /// The offset of a problem that has no place in the file, for instance a missing field.
  public static final long NO_OFFSET = -1;

  private final String file;
  private final String field;
  private final long offset;

  /// @param file the file, or the entry of an archive, as a person would name it
  /// @param field the path of the field, for instance `hidden_size` or
  ///   `encoder.weight.data_offsets`
  /// @param offset the byte of the file where the problem stands, or [#NO_OFFSET]
  /// @param problem a phrase that says what is wrong and, where it is not obvious, the remedy
  public ModelFormatException(String file, String field, long offset, String problem) {
    this(file, field, offset, problem, null);
  }

  /// As the other constructor, keeping the failure that was met.
  public ModelFormatException(
      String file, String field, long offset, String problem, @Nullable Throwable cause) {
    super(
        file
            + ": field "
            + field
            + (offset == NO_OFFSET ? "" : " at byte " + offset)
            + ": "
            + problem,
        cause);
    this.file = file;
    this.field = field;
    this.offset = offset;
  }

  static ModelFormatException in(Path file, String field, long offset, String problem) {
    return new ModelFormatException(file.toString(), field, offset, problem);
  }

  /// The file as it was named when it was opened.
  public String file() {
    return file;
  }

  /// The path of the field in the file's own terms.
  public String field() {
    return field;
  }

  /// The byte of the file where the problem stands, or [#NO_OFFSET].
  public long offset() {
    return offset;
  }
}

package io.rigmesh.worker.format;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The JSON header of a safetensors file, wholly checked against the length of the file.
///
/// @param tensors by name, in the order of their data
/// @param metadata the free text of `__metadata__`
record SafetensorsHeader(Map<String, StoredTensor> tensors, Map<String, String> metadata) {

  /// Bytes of the length field before the header.
  static final int PREFIX_BYTES = 8;

  /// The longest header that is read. The format allows 100 MB; the largest published models need
  /// less than 1 MB.
  static final int BYTES_MAX = 16 << 20;

  static final String METADATA = "__metadata__";
  private static final int DIMENSIONS_MAX = 16;

  /// Reads and checks a header.
  ///
  /// @param json the header's bytes, which start at byte 8 of the file
  /// @param fileBytes the length of the whole file
  static SafetensorsHeader parse(Path file, byte[] json, long fileBytes) {
    JsonField root = JsonField.parse(file.toString(), json, PREFIX_BYTES);
    long dataStart = PREFIX_BYTES + (long) json.length;
    Map<String, String> metadata = new LinkedHashMap<>();
    List<StoredTensor> tensors = new ArrayList<>();
    root.members()
        .forEach((name, field) -> {
          if (name.equals(METADATA)) {
            field.members().forEach((key, value) -> metadata.put(key, value.text()));
          } else {
            tensors.add(tensor(name, field, dataStart, fileBytes - dataStart));
          }
        });
    tensors.sort(
        Comparator.comparingLong(StoredTensor::offset).thenComparingLong(StoredTensor::bytes));
    Map<String, StoredTensor> byName = new LinkedHashMap<>();
    long end = dataStart;
    for (StoredTensor tensor : tensors) {
      if (tensor.offset() != end) {
        throw root.member(tensor.name())
            .member("data_offsets")
            .unfit(
                "starts at byte "
                    + (tensor.offset() - dataStart)
                    + " of the data, but the tensor before it ends at "
                    + (end - dataStart)
                    + "; tensors must neither overlap nor leave holes");
      }
      end += tensor.bytes();
      byName.put(tensor.name(), tensor);
    }
    if (end != fileBytes) {
      throw ModelFormatException.in(
          file,
          "data",
          end,
          "the file has "
              + (fileBytes - end)
              + " bytes that belong to no tensor; the file is damaged: fetch it again");
    }
    return new SafetensorsHeader(
        Collections.unmodifiableMap(byName), Collections.unmodifiableMap(metadata));
  }

  private static StoredTensor tensor(String name, JsonField field, long dataStart, long dataBytes) {
    JsonField dtype = field.member("dtype");
    ElementType type =
        ElementType.named(dtype.text())
            .orElseThrow(() -> dtype.unfit("is \"" + dtype.text() + "\", an unknown type"));
    JsonField shape = field.member("shape");
    if (shape.items().size() > DIMENSIONS_MAX) {
      throw shape.unfit("has more than " + DIMENSIONS_MAX + " dimensions");
    }
    List<Long> dimensions = new ArrayList<>();
    long bytes = type.bytes();
    for (JsonField item : shape.items()) {
      long dimension = item.integer(0L, Long.MAX_VALUE);
      dimensions.add(dimension);
      try {
        bytes = Math.multiplyExact(bytes, dimension);
      } catch (ArithmeticException e) {
        throw shape.unfit("has more elements than a file can hold");
      }
    }
    JsonField offsets = field.member("data_offsets");
    if (offsets.items().size() != 2) {
      throw offsets.unfit("must be two numbers, start and end");
    }
    long start = offsets.items().get(0).integer(0L, dataBytes);
    long end = offsets.items().get(1).integer(start, dataBytes);
    if (end - start != bytes) {
      throw offsets.unfit(
          "spans " + (end - start) + " bytes, but " + type + " " + dimensions + " needs " + bytes);
    }
    return new StoredTensor(name, type, dimensions, dataStart + start, bytes);
  }
}

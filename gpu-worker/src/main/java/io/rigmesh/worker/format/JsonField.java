package io.rigmesh.worker.format;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// One value of a JSON file that remembers its path and its byte in the file, so that whoever finds
/// it unfit can say where it stands. Duplicate names, deep nesting, trailing text and oversized
/// files are refused. Immutable.
public final class JsonField {

  private static final int NESTING_MAX = 32;

  private enum Null {
    NULL
  }

  private static final JsonFactory FACTORY =
      JsonFactory.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(NESTING_MAX)
                  .maxNumberLength(40)
                  .build())
          .build();

  private final String file;
  private final String path;
  private final long offset;

  /// A Map of JsonField, a List of JsonField, a String, Boolean, BigInteger, Double, or Null.NULL.
  private final Object value;

  private JsonField(String file, String path, long offset, Object value) {
    this.file = file;
    this.path = path;
    this.offset = offset;
    this.value = value;
  }

  /// Reads a whole file.
  ///
  /// @param bytesMax the longest file that is accepted; nothing longer is brought into memory
  /// @throws ModelFormatException when the file is missing, too long, or not JSON
  public static JsonField read(Path file, int bytesMax) {
    if (!Files.isRegularFile(file)) {
      throw ModelFormatException.in(
          file, "file", ModelFormatException.NO_OFFSET, "is missing or not a file");
    }
    byte[] json;
    try (InputStream in = Files.newInputStream(file)) {
      json = in.readNBytes(bytesMax + 1);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
    }
    if (json.length > bytesMax) {
      throw ModelFormatException.in(
          file, "file", bytesMax, "is longer than the " + bytesMax + " bytes that are accepted");
    }
    return parse(file.toString(), json, 0);
  }

  /// Parses a whole file that was read already.
  ///
  /// @param file the file's name in errors
  /// @throws ModelFormatException when it is not JSON
  public static JsonField parse(String file, byte[] json) {
    return parse(file, json, 0);
  }

  /// Parses JSON that lies in a file.
  ///
  /// @param file the file's name in errors
  /// @param baseOffset the byte of the file where the JSON starts
  static JsonField parse(String file, byte[] json, long baseOffset) {
    try (JsonParser parser = FACTORY.createParser(json)) {
      try {
        parser.nextToken();
        JsonField root = value(parser, file, "", baseOffset);
        if (parser.nextToken() != null) {
          long offset = baseOffset + parser.currentTokenLocation().getByteOffset();
          throw new ModelFormatException(file, "end", offset, "text follows the JSON value");
        }
        return root;
      } catch (JsonProcessingException e) {
        long offset =
            e.getLocation() == null
                ? ModelFormatException.NO_OFFSET
                : baseOffset + Math.max(0, e.getLocation().getByteOffset());
        String name = parser.currentName();
        throw new ModelFormatException(
            file, name == null ? "json" : inner("", name), offset, e.getOriginalMessage(), e);
      }
    } catch (IOException e) {
      throw new ModelFormatException(file, "json", baseOffset, "not JSON: " + e.getMessage(), e);
    }
  }

  private static JsonField value(JsonParser parser, String file, String path, long baseOffset)
      throws IOException {
    long offset = baseOffset + parser.currentTokenLocation().getByteOffset();
    JsonToken token = parser.currentToken();
    if (token == null) {
      throw new ModelFormatException(file, path.isEmpty() ? "json" : path, offset, "is empty");
    }
    Object value =
        switch (token) {
          case START_OBJECT -> {
            Map<String, JsonField> members = new LinkedHashMap<>();
            while (parser.nextToken() != JsonToken.END_OBJECT) {
              String name = parser.currentName();
              parser.nextToken();
              members.put(name, value(parser, file, inner(path, name), baseOffset));
            }
            yield Collections.unmodifiableMap(members);
          }
          case START_ARRAY -> {
            List<JsonField> items = new ArrayList<>();
            while (parser.nextToken() != JsonToken.END_ARRAY) {
              items.add(value(parser, file, path + "[" + items.size() + "]", baseOffset));
            }
            yield Collections.unmodifiableList(items);
          }
          case VALUE_STRING -> parser.getText();
          case VALUE_NUMBER_INT -> parser.getBigIntegerValue();
          case VALUE_NUMBER_FLOAT -> parser.getDoubleValue();
          case VALUE_TRUE -> true;
          case VALUE_FALSE -> false;
          case VALUE_NULL -> Null.NULL;
          default -> throw new ModelFormatException(file, path, offset, "unexpected " + token);
        };
    return new JsonField(file, path, offset, value);
  }

  private static String inner(String path, String name) {
    String shown = name.isEmpty() ? "\"\"" : name;
    return path.isEmpty() ? shown : path + "." + shown;
  }

  /// The path from the root, for instance `text_config.hidden_size`; empty for the root.
  public String path() {
    return path;
  }

  /// The byte of the file where the value starts.
  public long offset() {
    return offset;
  }

  /// The members of an object, in the file's order.
  public Map<String, JsonField> members() {
    if (value instanceof Map<?, ?>) {
      @SuppressWarnings("unchecked") // value() makes no other maps.
      Map<String, JsonField> members = (Map<String, JsonField>) value;
      return members;
    }
    throw unfit("must be an object");
  }

  /// Whether the value is an array, for fields that hold one value or several.
  public boolean isArray() {
    return value instanceof List<?>;
  }

  /// Whether the value is a string, for fields that hold one or an object.
  public boolean isText() {
    return value instanceof String;
  }

  /// The items of an array.
  public List<JsonField> items() {
    if (value instanceof List<?>) {
      @SuppressWarnings("unchecked") // value() makes no other lists.
      List<JsonField> items = (List<JsonField>) value;
      return items;
    }
    throw unfit("must be an array");
  }

  /// A member that must be there and not be null.
  public JsonField member(String name) {
    return find(name)
        .orElseThrow(() -> new ModelFormatException(file, inner(path, name), offset, "is missing"));
  }

  /// A member that may be missing; null counts as missing, as it does to Hugging Face's readers.
  public Optional<JsonField> find(String name) {
    return Optional.ofNullable(members().get(name)).filter(field -> !(field.value instanceof Null));
  }

  /// A string.
  public String text() {
    if (value instanceof String text) {
      return text;
    }
    throw unfit("must be a string");
  }

  /// A string that must be one of a few.
  public String text(List<String> allowed) {
    String text = text();
    if (!allowed.contains(text)) {
      throw unfit("is \"" + text + "\", must be one of " + allowed);
    }
    return text;
  }

  /// A truth value.
  public boolean flag() {
    if (value instanceof Boolean flag) {
      return flag;
    }
    throw unfit("must be true or false");
  }

  /// An integer within bounds, both included.
  public long integer(long min, long max) {
    if (value instanceof BigInteger integer) {
      if (integer.compareTo(BigInteger.valueOf(min)) >= 0
          && integer.compareTo(BigInteger.valueOf(max)) <= 0) {
        return integer.longValueExact();
      }
      throw unfit("is " + integer + ", must be from " + min + " to " + max);
    }
    throw unfit("must be an integer");
  }

  /// As [#integer(long, long)], for bounds that fit an int.
  public int integer(int min, int max) {
    return (int) integer((long) min, (long) max);
  }

  /// A finite number within bounds, both included.
  public double number(double min, double max) {
    double number =
        switch (value) {
          case BigInteger integer -> integer.doubleValue();
          case Double real -> real;
          default -> throw unfit("must be a number");
        };
    if (number >= min && number <= max) {
      return number;
    }
    throw unfit("is " + number + ", must be from " + min + " to " + max);
  }

  /// The exception of a value that its reader cannot use.
  public ModelFormatException unfit(String problem) {
    return new ModelFormatException(file, path.isEmpty() ? "json" : path, offset, problem);
  }
}

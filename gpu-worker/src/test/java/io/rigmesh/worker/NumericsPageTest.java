package io.rigmesh.worker;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.worker.kernels.Elementary;
import io.rigmesh.worker.llama.RandomStream;
import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/// The tables of docs/numerics.md, which is all that another implementation has, are those that the
/// code uses.
class NumericsPageTest {
  private static final Path PAGE = Path.of("../docs/numerics.md");
  private static final Pattern COEFFICIENT =
      Pattern.compile("^\\| `([A-Z0-9_]+)` \\| `([-0-9a-fxp.+]+)` \\| `([0-9a-f]{8})` \\|$");
  private static final Pattern PURPOSE = Pattern.compile("^\\| `([A-Z]+)` \\| (\\d+) \\| .*$");

  private static List<MatchResult> rows(Pattern row) throws IOException {
    return Files.readAllLines(PAGE).stream().flatMap(line -> row.matcher(line).results()).toList();
  }

  /// The bits of every number that [Elementary] computes with, by name; those of an array by its
  /// name and the index.
  private static Map<String, Integer> used() throws IllegalAccessException {
    Map<String, Integer> used = new TreeMap<>();
    for (Field field : Elementary.class.getDeclaredFields()) {
      if (!Modifier.isStatic(field.getModifiers()) || field.isSynthetic()) {
        continue;
      }
      field.setAccessible(true);
      switch (field.get(null)) {
        case Float value -> used.put(field.getName(), Float.floatToRawIntBits(value));
        case float[] values -> {
          for (int i = 0; i < values.length; i++) {
            used.put(field.getName() + "_" + i, Float.floatToRawIntBits(values[i]));
          }
        }
        default -> throw new AssertionError(field + " is of a kind that the page has no table for");
      }
    }
    return used;
  }

  @Test
  void theCoefficientsAreThoseOfElementary() throws IOException, IllegalAccessException {
    Map<String, Integer> bits =
        rows(COEFFICIENT).stream()
            .collect(
                Collectors.toMap(
                    row -> row.group(1), row -> Integer.parseUnsignedInt(row.group(3), 16)));
    assertThat(bits).hasSizeGreaterThan(40).isEqualTo(used());
  }

  @Test
  void theirValuesAreTheirBits() throws IOException {
    assertThat(rows(COEFFICIENT))
        .isNotEmpty()
        .allSatisfy(row -> {
          float value = Float.parseFloat(row.group(2));
          assertThat("%08x".formatted(Float.floatToRawIntBits(value)))
              .as(row.group(1))
              .isEqualTo(row.group(3));
          // No digit is lost: what is written is the binary32 number itself.
          assertThat(Double.parseDouble(row.group(2))).as(row.group(1)).isEqualTo(value);
        });
  }

  @Test
  void theStreamsAreThoseOfEveryPurpose() throws IOException {
    Map<String, Long> written =
        rows(PURPOSE).stream()
            .collect(Collectors.toMap(row -> row.group(1), row -> Long.parseLong(row.group(2))));
    Map<String, Long> used = new TreeMap<>();
    for (RandomStream stream : RandomStream.values()) {
      used.put(stream.name(), stream.lane(0) / (1L << 32));
    }
    assertThat(written).isNotEmpty().isEqualTo(used);
    assertThat(Files.readString(PAGE)).contains("stream = purpose * 2^32 + lane");
    assertThat(RandomStream.BATCHES.lane(7)).isEqualTo(2 * (1L << 32) + 7);
  }
}

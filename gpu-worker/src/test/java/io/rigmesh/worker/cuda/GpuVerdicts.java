package io.rigmesh.worker.cuda;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/// Makes the table that scripts/gpu-check.sh ends with, of lines with tabs between their fields:
///
/// - `CHECK name verdict detail`, the verdict `passed`, `FAILED` or `not run`;
/// - `FIGURE name value unit beside reference bar`, as [GpuFigures] writes them; below its bar is a
///   failure;
/// - `TORCH model how value`, tokens per second of PyTorch's decode; its best for a model is what
///   our figure `model i8-v1 decode, batch 1` must reach.
final class GpuVerdicts {
  static final String PASSED = "passed";
  static final String FAILED = "FAILED";
  static final String NOT_RUN = "not run";

  private static final int USAGE = 2;

  private final List<Row> rows = new ArrayList<>();
  private final Map<String, Double> values = new TreeMap<>();
  private final Map<String, Double> torch = new TreeMap<>();

  private record Row(String name, String verdict, String detail) {}

  private GpuVerdicts() {}

  /// The file of lines, and `--strict`, under which what was not run is a failure, too. Ends with
  /// status 1 for a failure.
  public static void main(String[] arguments) throws IOException {
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    boolean strict = arguments.length == 2 && arguments[1].equals("--strict");
    if (arguments.length != (strict ? 2 : 1)) {
      out.println("Name the file of lines, and --strict if all has to be run.");
      System.exit(USAGE);
    }
    GpuVerdicts verdicts = of(Files.readAllLines(Path.of(arguments[0])));
    verdicts.table(strict).forEach(out::println);
    System.exit(verdicts.failed(strict) ? 1 : 0);
  }

  /// Reads lines.
  static GpuVerdicts of(List<String> lines) {
    GpuVerdicts verdicts = new GpuVerdicts();
    lines.forEach(verdicts::read);
    verdicts.torch.forEach((model, theirs) -> {
      String ours = model + " i8-v1 decode, batch 1";
      String name = model + " decode, i8-v1 over PyTorch's bf16";
      Double value = verdicts.values.get(ours);
      if (value == null) {
        verdicts.rows.add(new Row(name, NOT_RUN, "there is no figure of ours"));
      } else {
        verdicts.compare(name, value, "tokens/s", "PyTorch", theirs, 1);
      }
    });
    return verdicts;
  }

  private void read(String line) {
    String[] fields = line.split("\t", -1);
    switch (fields[0] + " " + fields.length) {
      case "CHECK 4" -> {
        if (!List.of(PASSED, FAILED, NOT_RUN).contains(fields[2])) {
          throw new IllegalArgumentException("There is no verdict '" + fields[2] + "': " + line);
        }
        rows.add(new Row(fields[1], fields[2], fields[3]));
      }
      case "FIGURE 7" -> {
        double value = Double.parseDouble(fields[2]);
        values.put(fields[1], value);
        compare(
            fields[1],
            value,
            fields[3],
            fields[4],
            Double.parseDouble(fields[5]),
            Double.parseDouble(fields[6]));
      }
      case "TORCH 4" -> torch.merge(fields[1], Double.parseDouble(fields[3]), Math::max);
      default ->
          throw new IllegalArgumentException(
              "A line of %d fields is no result: %s".formatted(fields.length, line));
    }
  }

  private void compare(
      String name, double value, String unit, String beside, double reference, double bar) {
    if (reference == 0) {
      rows.add(new Row(name, "measured", "%s %s".formatted(number(value), unit)));
      return;
    }
    double share = value / reference;
    String detail =
        "%s of %s %s, %s: %.3f".formatted(number(value), number(reference), unit, beside, share);
    if (bar == 0) {
      rows.add(new Row(name, "measured", detail));
    } else {
      rows.add(new Row(name, share >= bar ? PASSED : FAILED, detail + ", bar %.2f".formatted(bar)));
    }
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, value < 1000 ? "%.3g" : "%,.0f", value);
  }

  /// Whether the whole is a failure: a verdict, or that there is none.
  boolean failed(boolean strict) {
    return rows.isEmpty()
        || rows.stream()
            .anyMatch(
                row -> row.verdict().equals(FAILED) || (strict && row.verdict().equals(NOT_RUN)));
  }

  /// The lines of the table, the last of which sums up.
  List<String> table(boolean strict) {
    int width = rows.stream().mapToInt(row -> row.name().length()).max().orElse(0);
    List<String> table = new ArrayList<>();
    for (Row row : rows) {
      table.add(
          ("%-" + Math.max(1, width) + "s  %-8s  %s")
              .formatted(row.name(), row.verdict(), row.detail())
              .stripTrailing());
    }
    table.add(
        "%s: %d passed, %d failed, %d not run, %d measured without a bar"
            .formatted(
                failed(strict) ? FAILED : "passed",
                count(PASSED),
                count(FAILED),
                count(NOT_RUN),
                count("measured")));
    return table;
  }

  private long count(String verdict) {
    return rows.stream().filter(row -> row.verdict().equals(verdict)).count();
  }
}

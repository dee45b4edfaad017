package io.rigmesh.worker.cuda;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What was measured, and what could not be, as lines that [GpuVerdicts] makes its table of.
final class GpuFigures {
  private final Optional<Path> file;
  private final List<String> lines = new ArrayList<>();

  /// @param file to which lines are added as soon as they are known, if one is wanted
  GpuFigures(Optional<Path> file) {
    this.file = file;
  }

  /// All so far.
  List<String> lines() {
    return List.copyOf(lines);
  }

  /// A figure beside what it is compared with.
  ///
  /// @param beside what the reference is
  /// @param reference in the same unit; 0 if there is none
  /// @param bar the least share of the reference; 0 if there is none
  void figure(String name, double value, String unit, String beside, double reference, double bar) {
    if (!(value > 0) || Double.isInfinite(value)) {
      throw new IllegalArgumentException(
          "%s was measured as %f %s, which is no measurement.".formatted(name, value, unit));
    }
    add("FIGURE", name, "" + value, unit, beside, "" + reference, "" + bar);
  }

  /// Something that could not be measured, and why.
  void notRun(String name, String why) {
    add("CHECK", name, GpuVerdicts.NOT_RUN, why);
  }

  private void add(String... fields) {
    String line = String.join("\t", fields).replace('\n', ' ');
    lines.add(line);
    if (file.isPresent()) {
      try {
        Files.writeString(
            file.get(), line + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
      } catch (IOException e) {
        throw new UncheckedIOException("a figure cannot be written to " + file.get(), e);
      }
    }
  }
}

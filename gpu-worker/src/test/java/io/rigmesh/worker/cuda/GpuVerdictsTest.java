package io.rigmesh.worker.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class GpuVerdictsTest {
  private static final String KERNELS = "CHECK\tkernels\tpassed\t91 tests, 0 skipped";

  @TempDir Path folder;

  @Test
  void whatReachesItsBarPasses() throws IOException {
    GpuFigures figures = new GpuFigures(Optional.of(folder.resolve("rows")));
    figures.figure("1B i8-v1 decode, batch 1", 2_400, "tokens/s", "floor", 3_000, 0.7);
    figures.figure("copy", 4.3, "TB/s", "", 0, 0);
    List<String> lines = new ArrayList<>(List.of(KERNELS));
    lines.addAll(Files.readAllLines(folder.resolve("rows")));
    assertThat(figures.lines()).isEqualTo(lines.subList(1, 3));
    lines.add("TORCH\t1B\tgraph\t1700");
    lines.add("TORCH\t1B\tcompiled\t1900.5");
    GpuVerdicts verdicts = GpuVerdicts.of(lines);
    assertThat(verdicts.failed(true)).isFalse();
    assertThat(verdicts.table(true))
        .containsExactly(
            "kernels                               passed    91 tests, 0 skipped",
            "1B i8-v1 decode, batch 1              passed    2,400 of 3,000 tokens/s, floor: 0.800, bar 0.70",
            "copy                                  measured  4.30 TB/s",
            "1B decode, i8-v1 over PyTorch's bf16  passed    2,400 of 1,901 tokens/s, PyTorch: 1.263, bar 1.00",
            "passed: 3 passed, 0 failed, 0 not run, 1 measured without a bar");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          FIGURE;1B i8-v1 decode, batch 1;2000;tokens/s;floor;3000;0.7 | true
          CHECK;logits;FAILED;0.1 | true
          FIGURE;1B i8-v1 decode, batch 1;2200;tokens/s;floor;3000;0.7 | false
          FIGURE;1B i8-v1 decode, batch 1;2200;tokens/s;floor;3000;0 | false
          """)
  void whatIsBelowItsBarFails(String line, boolean fails) {
    assertThat(GpuVerdicts.of(List.of(KERNELS, line.replace(';', '\t'))).failed(false))
        .isEqualTo(fails);
  }

  @Test
  void whatIsSlowerThanPyTorchFails() {
    String ours = "FIGURE\t1B i8-v1 decode, batch 1\t1800\ttokens/s\tfloor\t2000\t0.7";
    assertThat(GpuVerdicts.of(List.of(ours, "TORCH\t1B\tgraph\t1900")).failed(false)).isTrue();
    assertThat(GpuVerdicts.of(List.of(ours, "TORCH\t1B\tgraph\t1700")).failed(false)).isFalse();
  }

  @Test
  void whatWasNotRunIsSeenAndFailsWhereAllIsAskedFor() {
    GpuFigures figures = new GpuFigures(Optional.empty());
    figures.notRun("8B f32-v1", "it has 8 GiB\nfree");
    List<String> lines = new ArrayList<>(figures.lines());
    lines.add(KERNELS);
    lines.add("TORCH\t8B\tgraph\t284");
    GpuVerdicts verdicts = GpuVerdicts.of(lines);
    assertThat(verdicts.failed(false)).isFalse();
    assertThat(verdicts.failed(true)).isTrue();
    assertThat(String.join("\n", verdicts.table(false)))
        .contains("not run   it has 8 GiB free")
        .contains("not run   there is no figure of ours")
        .contains("passed: 1 passed, 0 failed, 2 not run");
  }

  @Test
  void nothingAtAllFails() {
    assertThat(GpuVerdicts.of(List.of()).failed(false)).isTrue();
  }

  @Test
  void whatIsNoResultIsRefused() {
    assertThatThrownBy(() -> GpuVerdicts.of(List.of("FIGURE\ta\t1")))
        .hasMessageContaining("3 fields");
    assertThatThrownBy(() -> GpuVerdicts.of(List.of("CHECK\ta\tok\t")))
        .hasMessageContaining("no verdict 'ok'");
    assertThatThrownBy(
            () -> new GpuFigures(Optional.empty()).figure("a", Double.NaN, "GB/s", "", 0, 0))
        .hasMessageContaining("no measurement");
  }
}

package io.rigmesh.worker.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `src/test/python/third_implementation.py`, which was written from docs/numerics.md and
/// docs/conformance.md and shares no code with this project, gives the golden vectors.
///
/// It needs Debian's python3-numpy, as the tests against PyTorch do; `-Drigmesh.numpy=skip` leaves
/// it out.
class ThirdImplementationTest {
  private static final Path FILES = Path.of("src/main/resources/io/rigmesh/worker/conformance");
  private static final Path SCRIPT = Path.of("src/test/python/third_implementation.py");
  private static final Path PAGE = Path.of("../docs/numerics.md");
  private static final long TIMEOUT_MINUTES = 10;

  @TempDir private Path folder;

  /// What the script printed.
  private record Answer(int status, List<String> lines) {}

  @BeforeAll
  static void mayRun() {
    assumeFalse(
        "skip".equals(System.getProperty("rigmesh.numpy")),
        "numpy is skipped by -Drigmesh.numpy=skip");
  }

  private Answer run(Path files) throws IOException, InterruptedException {
    Path out = folder.resolve("out.txt");
    Process process =
        new ProcessBuilder(
                "/usr/bin/python3", "-B", SCRIPT.toString(), files.toString(), PAGE.toString())
            .redirectErrorStream(true)
            .redirectOutput(out.toFile())
            .start();
    try {
      assertThat(process.waitFor(TIMEOUT_MINUTES, TimeUnit.MINUTES)).isTrue();
    } finally {
      process.destroyForcibly();
    }
    return new Answer(process.exitValue(), Files.readAllLines(out));
  }

  @Test
  void whatIsWrittenFromThePagesAloneGivesEveryGoldenVector()
      throws IOException, InterruptedException {
    Answer answer = run(FILES);
    assertThat(answer.lines())
        .as(
            "third_implementation.py; is python3-numpy missing? apt-get install"
                + " --no-install-recommends python3-numpy, or leave this out with"
                + " -Drigmesh.numpy=skip")
        .singleElement()
        .asString()
        .endsWith(" compared, 0 failed");
    int compared = Integer.parseInt(answer.lines().getFirst().split(" ")[0]);
    assertThat(compared).isGreaterThan(OpSuite.load().size());
    assertThat(answer.status()).isZero();
  }

  @Test
  void itTellsAWrongVector() throws IOException, InterruptedException {
    OpVector right = OpSuite.load().vectors().getFirst();
    String hash = right.results().orElseThrow();
    String wrong = (hash.charAt(0) == '0' ? '1' : '0') + hash.substring(1);
    Files.writeString(
        folder.resolve("ops.jsonl"),
        right.line() + "\n" + right.line().replace(hash, wrong) + "\n");
    for (String file : List.of("steps.json", "bert.json")) {
      Files.writeString(folder.resolve(file), "{\"models\":[]}");
    }
    Answer answer = run(folder);
    assertThat(answer.status()).isEqualTo(1);
    assertThat(answer.lines()).hasSize(2).last().isEqualTo("2 compared, 1 failed");
  }
}

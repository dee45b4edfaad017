package io.rigmesh.node.rest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Runs the linter over the description. Its npm packages are installed once per checkout; without
/// npm the test is reported as skipped.
class OpenApiLintIT {
  private static final Path LINTER = Path.of("../scripts/openapi");
  private static final Path DOCUMENT =
      Path.of("src/main/resources/io/rigmesh/node/rest/openapi.yaml");

  @Test
  void descriptionIsInOrder() throws Exception {
    Result result = lint(DOCUMENT);
    assertThat(result.exitCode).as(result.output).isZero();
  }

  @Test
  void aWrongDescriptionWouldBeNoticed(@TempDir Path folder) throws Exception {
    Path wrong = folder.resolve("openapi.yaml");
    Files.writeString(
        wrong,
        Files.readString(DOCUMENT).replace("operationId: showJob\n", "operation: showJob\n"));
    assertThat(lint(wrong).exitCode).isNotZero();
  }

  private record Result(int exitCode, String output) {}

  private static Result lint(Path document) throws Exception {
    install();
    return run(
        List.of(
            "npx",
            "--no-install",
            "redocly",
            "lint",
            "--config",
            "redocly.yaml",
            document.toAbsolutePath().toString()));
  }

  private static synchronized void install() throws Exception {
    boolean npm;
    try {
      npm = run(List.of("npm", "--version")).exitCode == 0;
    } catch (java.io.IOException e) {
      npm = false;
    }
    assumeTrue(npm, "npm is not installed, so the linter cannot run");
    if (!Files.isDirectory(LINTER.resolve("node_modules/@redocly/cli"))) {
      Result result = run(List.of("npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"));
      assertThat(result.exitCode).as(result.output).isZero();
    }
  }

  private static Result run(List<String> command) throws Exception {
    Path output = Files.createTempFile("rigmesh-lint-", ".txt");
    try {
      Process process =
          new ProcessBuilder(command)
              .directory(LINTER.toFile())
              .redirectErrorStream(true)
              .redirectOutput(output.toFile())
              .start();
      if (!process.waitFor(5, TimeUnit.MINUTES)) {
        process.destroyForcibly();
        throw new AssertionError(command + " did not end");
      }
      return new Result(process.exitValue(), Files.readString(output, StandardCharsets.UTF_8));
    } finally {
      Files.deleteIfExists(output);
    }
  }
}

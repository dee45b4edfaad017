package io.rigmesh.node.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Runs bin/rigmesh as a person does. Needs the jars that the package phase lays out, so it runs in
/// verify.
class LauncherIT {
  private static final Path LAUNCHER = Path.of("../bin/rigmesh").toAbsolutePath().normalize();

  @TempDir Path folder;

  private record Result(int exitCode, String out, String err) {}

  private Result run(Map<String, String> environment, String... arguments) throws Exception {
    Path out = folder.resolve("out");
    Path err = folder.resolve("err");
    ProcessBuilder builder =
        new ProcessBuilder(
            java.util.stream.Stream.concat(
                    java.util.stream.Stream.of(LAUNCHER.toString()),
                    java.util.Arrays.stream(arguments))
                .toList());
    builder.environment().put("RIGMESH_JAVA", System.getProperty("java.home"));
    builder.environment().put("RIGMESH_CACHE", folder.resolve("cache").toString());
    builder.environment().putAll(environment);
    Process process = builder.redirectOutput(out.toFile()).redirectError(err.toFile()).start();
    if (!process.waitFor(2, TimeUnit.MINUTES)) {
      process.destroyForcibly();
      throw new AssertionError("the launcher did not end");
    }
    return new Result(
        process.exitValue(),
        Files.readString(out, StandardCharsets.UTF_8),
        Files.readString(err, StandardCharsets.UTF_8));
  }

  @Test
  void versionIsAnsweredBeforeAnythingHeavyIsLoaded() throws Exception {
    Path loaded = folder.resolve("classes");
    Result result =
        run(Map.of("RIGMESH_JAVA_OPTS", "-Xlog:class+load:file=" + loaded), "--version");
    assertThat(result.exitCode).as(result.err).isZero();
    assertThat(result.out).startsWith("rigmesh ");
    assertThat(result.err).isEmpty();
    List<String> classes = Files.readAllLines(loaded);
    assertThat(classes)
        .noneMatch(line -> line.contains("picocli."))
        .noneMatch(line -> line.contains("linecorp"))
        .noneMatch(line -> line.contains("web3j"))
        .noneMatch(line -> line.contains("slf4j"));
    // What is left of the start is the JVM's own, and comes from its class-data archive.
    assertThat(classes.stream().filter(line -> !line.contains("shared objects file")).count())
        .isLessThan(40);
  }

  @Test
  void javaThatIsNotThereIsSaidWithTheRemedy() throws Exception {
    Result result = run(Map.of("RIGMESH_JAVA", folder.toString()), "--version");
    assertThat(result.exitCode).isEqualTo(2);
    assertThat(result.err).contains("is not Java 25").contains("RIGMESH_JAVA");
    assertThat(result.out).isEmpty();
  }

  @Test
  void settingsAreShownAsDataAndTheArchiveIsLeftBehind() throws Exception {
    Map<String, String> home = Map.of("RIGMESH_HOME", folder.resolve("home").toString());
    Result result = run(home, "config", "show", "--json");
    assertThat(result.exitCode).as(result.err).isZero();
    assertThat(result.out).startsWith("[").contains("\"rest.port\"");
    assertThat(result.err).isEmpty();
    try (var files = Files.list(folder.resolve("cache"))) {
      assertThat(files.filter(f -> f.toString().endsWith(".jsa"))).hasSize(1);
    }
    Result again = run(home, "config", "show", "--json");
    assertThat(again.out).isEqualTo(result.out);
  }

  @Test
  void mistakesAreSaidInASentenceAndExitWithTwo() throws Exception {
    Result unknown = run(Map.of(), "fly");
    assertThat(unknown.exitCode).isEqualTo(2);
    assertThat(unknown.err).contains("fly");
    Result setting =
        run(
            Map.of("RIGMESH_HOME", folder.resolve("home").toString()),
            "config",
            "show",
            "--set",
            "rest.prot=1");
    assertThat(setting.exitCode).isEqualTo(2);
    assertThat(setting.err).contains("rest.prot").contains("rest.port").doesNotContain("\tat ");
  }

  @Test
  void withoutADaemonTryingAgainMayHelp() throws Exception {
    Result result = run(Map.of("RIGMESH_HOME", folder.resolve("home").toString()), "job", "list");
    assertThat(result.exitCode).isEqualTo(1);
    assertThat(result.err).contains("rigmesh up");
  }
}

package io.rigmesh.libp2p.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Runs Jazzer on the parsers for a while: `-Drigmesh.fuzz.seconds=3600` for long. What it finds is
/// an input that the test prints; add it to the parser's own tests with the fix.
final class ParserFuzzIT {
  /// The newest class files whose coverage Jazzer 0.24 can measure; ours differ from them only in
  /// the number.
  private static final int MEASURED_MAJOR = 67;

  /// How long to search; 0 for the same short search each time, so that a test does not fail by
  /// chance.
  private static final int SECONDS = Integer.getInteger("rigmesh.fuzz.seconds", 0);

  @Test
  void noInputBreaksAParser(@TempDir Path folder) throws Exception {
    Path classes = Files.createDirectories(folder.resolve("classes"));
    for (String from : List.of("target/classes", "target/test-classes")) {
      copyMeasurable(Path.of(from), classes);
    }
    Path corpus = seeds(folder.resolve("corpus"));
    Path log = folder.resolve("log");

    Process jazzer =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                // A parser that takes memory for what is only announced runs out of it here.
                "-Xmx256m",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-XX:+EnableDynamicAgentLoading",
                "-cp",
                classes + File.pathSeparator + libraries(),
                "com.code_intelligence.jazzer.Jazzer",
                "--target_class=" + ParserFuzz.class.getName(),
                "--instrumentation_includes=io.rigmesh.**",
                // Generated code is large, and not ours; a pattern has its star at the end alone.
                "--instrumentation_excludes="
                    + Stream.of(
                            "autonat",
                            "dcutr",
                            "gossip",
                            "identify",
                            "identity",
                            "kad",
                            "noise",
                            "peerstore",
                            "relay")
                        .map(name -> "io.rigmesh.libp2p." + name + ".wire.**")
                        .collect(Collectors.joining(File.pathSeparator)),
                // Its own hooks look for injections into SQL, LDAP and the like.
                "--disabled_hooks=*",
                // The same runs every time; a longer search begins elsewhere each time.
                SECONDS == 0 ? "-runs=60000" : "-max_total_time=" + SECONDS,
                "-seed=" + (SECONDS == 0 ? 1 : System.nanoTime() % 1_000_000_000),
                "-max_len=6000",
                // Of one input; longer than a machine that is busy with other things stands still.
                "-timeout=60",
                "-rss_limit_mb=2048",
                "-artifact_prefix=" + folder + "/",
                corpus.toString())
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    try {
      assertThat(jazzer.waitFor(SECONDS + 900L, TimeUnit.SECONDS)).as("Jazzer ends").isTrue();
    } finally {
      jazzer.destroyForcibly();
    }

    String said = tail(log);
    System.out.println(said);
    assertThat(jazzer.exitValue()).as(said).isZero();
    assertThat(said).as("Jazzer has run").containsPattern("Done [1-9][0-9]{4,} runs");
    assertThat(Files.readString(log, StandardCharsets.ISO_8859_1))
        .as("coverage of our own classes was measured")
        .containsPattern("cov: [1-9][0-9]{2,} ");
  }

  private static Path seeds(Path folder) throws IOException {
    Files.createDirectories(folder);
    for (int i = 0; i < ParserFuzz.PARSERS.size(); i++) {
      byte[] valid = ParserFuzz.PARSERS.get(i).seed();
      byte[] seed = new byte[valid.length + 1];
      seed[0] = (byte) i;
      System.arraycopy(valid, 0, seed, 1, valid.length);
      Files.write(folder.resolve("seed-" + i), seed);
    }
    return folder;
  }

  /// Copies class files with their version lowered; see [#MEASURED_MAJOR].
  private static void copyMeasurable(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        byte[] bytes = Files.readAllBytes(file);
        if (file.toString().endsWith(".class") && bytes[7] > MEASURED_MAJOR) {
          bytes[7] = (byte) MEASURED_MAJOR;
        }
        Path copy = to.resolve(from.relativize(file).toString());
        Files.createDirectories(copy.getParent());
        Files.write(copy, bytes);
      }
    }
  }

  /// The class path without this module's own folders.
  private static String libraries() {
    return Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
        .filter(entry -> entry.endsWith(".jar"))
        .collect(Collectors.joining(File.pathSeparator));
  }

  private static String tail(Path log) throws IOException {
    List<String> lines = Files.readAllLines(log, StandardCharsets.ISO_8859_1);
    return String.join("\n", lines.subList(Math.max(0, lines.size() - 60), lines.size()));
  }
}

package io.rigmesh.node.market;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// bin/rigmesh, as a person starts it.
final class Rigmesh {
  private static final Path LAUNCHER = Path.of("../bin/rigmesh").toAbsolutePath().normalize();

  private Rigmesh() {}

  /// What a command printed.
  record Said(String out, String err) {}

  /// Runs a command on a node's folder to its good end.
  ///
  /// @param folder where its output is kept meanwhile
  static Said on(NodeProcess node, Path folder, String... arguments) throws Exception {
    return ending(0, node.home(), folder, arguments);
  }

  /// Runs a command on a home to its end, which has this exit code.
  static Said ending(int exitCode, Path home, Path folder, String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of(LAUNCHER.toString()));
    command.addAll(List.of(arguments));
    command.addAll(List.of("--home", home.toString()));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("RIGMESH_JAVA", System.getProperty("java.home"));
    builder.environment().put("RIGMESH_CACHE", "off");
    Path out = folder.resolve("out");
    Path err = folder.resolve("err");
    Process process = builder.redirectOutput(out.toFile()).redirectError(err.toFile()).start();
    if (!process.waitFor(4, TimeUnit.MINUTES)) {
      process.destroyForcibly();
      throw new AssertionError("the command did not end");
    }
    Said said =
        new Said(
            Files.readString(out, StandardCharsets.UTF_8),
            Files.readString(err, StandardCharsets.UTF_8));
    assertThat(process.exitValue()).as(said.toString()).isEqualTo(exitCode);
    return said;
  }
}

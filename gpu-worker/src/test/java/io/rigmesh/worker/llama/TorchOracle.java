package io.rigmesh.worker.llama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// Runs `src/test/python/llama_oracle.py`, an independent Llama in torch autograd, in a process of
/// its own.
///
/// Torch is Debian's python3-torch, so Python shims of other installations are passed over. Where
/// it is absent the test fails and says what to install, unless the property `rigmesh.torch` is
/// `skip`.
public final class TorchOracle {
  private static final long TIMEOUT_SECONDS = 120;

  /// The Python that was found to have torch, looked for once.
  private static String python = "";

  private TorchOracle() {}

  /// Runs one command of the script on a folder and fails with its output if it fails.
  public static void run(String command, Path folder) throws IOException, InterruptedException {
    Path log = folder.resolve(command + ".log");
    Process process =
        builder(command, folder, 1).redirectErrorStream(true).redirectOutput(log.toFile()).start();
    try {
      assertThat(process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS))
          .as("llama_oracle.py %s ended within %d seconds", command, TIMEOUT_SECONDS)
          .isTrue();
    } finally {
      process.destroyForcibly();
    }
    assertThat(process.exitValue()).as(Files.readString(log)).isZero();
  }

  /// The process of one command of the script, to be started.
  public static ProcessBuilder builder(String command, Path folder, int threads)
      throws IOException, InterruptedException {
    ProcessBuilder builder =
        new ProcessBuilder(
            python(), "-B", script("llama_oracle.py").toString(), command, folder.toString());
    builder.environment().put("RIGMESH_TORCH_THREADS", Integer.toString(threads));
    builder.environment().put("OPENBLAS_NUM_THREADS", Integer.toString(threads));
    builder.environment().put("OMP_NUM_THREADS", Integer.toString(threads));
    return builder;
  }

  /// Runs `family_oracle.py` on folders, each with its `tokens.bin`, and fails with its output if
  /// it fails.
  public static void runFamilies(Path log, List<Path> folders)
      throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(List.of(python(), "-B", script("family_oracle.py").toString()));
    folders.forEach(folder -> command.add(folder.toString()));
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
    builder.environment().put("OPENBLAS_NUM_THREADS", "1");
    builder.environment().put("OMP_NUM_THREADS", "1");
    Process process = builder.start();
    try {
      assertThat(process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS))
          .as("family_oracle.py ended within %d seconds", TIMEOUT_SECONDS)
          .isTrue();
    } finally {
      process.destroyForcibly();
    }
    assertThat(process.exitValue()).as(Files.readString(log)).isZero();
  }

  /// Writes token ids as little-endian int32.
  public static void writeTokens(Path file, int[] tokens) throws IOException {
    ByteBuffer bytes =
        ByteBuffer.allocate(tokens.length * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asIntBuffer().put(tokens);
    Files.write(file, bytes.array());
  }

  /// Reads little-endian floats.
  public static float[] readFloats(Path file) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    float[] values = new float[bytes.remaining() / Float.BYTES];
    bytes.asFloatBuffer().get(values);
    return values;
  }

  /// A script in the module's sources, from whatever folder the test or benchmark runs in.
  private static Path script(String name) {
    try {
      Path classes =
          Path.of(TorchOracle.class.getProtectionDomain().getCodeSource().getLocation().toURI());
      return classes.resolve("../../src/test/python/" + name).normalize();
    } catch (URISyntaxException e) {
      throw new AssertionError("the test classes have no path", e);
    }
  }

  private static synchronized String python() throws IOException, InterruptedException {
    assumeFalse(
        "skip".equals(System.getProperty("rigmesh.torch")),
        "torch is skipped by -Drigmesh.torch=skip");
    if (!python.isEmpty()) {
      return python;
    }
    for (String candidate : candidates()) {
      Process process =
          new ProcessBuilder(candidate, "-c", "import torch")
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      if (process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS) && process.exitValue() == 0) {
        python = candidate;
        return candidate;
      }
      process.destroyForcibly();
    }
    throw new AssertionError(
        "No Python with torch was found, against which training is checked: "
            + "apt-get install --no-install-recommends python3-torch libopenblas0-pthread, "
            + "or leave these tests out with -Drigmesh.torch=skip.");
  }

  private static List<String> candidates() {
    List<Path> candidates = new ArrayList<>();
    candidates.add(Path.of("/usr/bin/python3"));
    for (String folder : System.getenv().getOrDefault("PATH", "").split(File.pathSeparator)) {
      Path candidate = Path.of(folder, "python3");
      if (!folder.contains("pyenv") && !candidates.contains(candidate)) {
        candidates.add(candidate);
      }
    }
    return candidates.stream().filter(Files::isExecutable).map(Path::toString).toList();
  }
}

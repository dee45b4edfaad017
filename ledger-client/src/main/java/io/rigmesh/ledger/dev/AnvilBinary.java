package io.rigmesh.ledger.dev;

import io.rigmesh.ledger.LedgerException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Finds anvil, Foundry's development chain, where `npm ci` in contracts/ has put it.
public final class AnvilBinary {
  /// The system property that names the program.
  public static final String PROPERTY = "rigmesh.anvil";

  /// The environment variable that names the program, where the property does not.
  public static final String ENVIRONMENT = "RIGMESH_ANVIL";

  private static final Path INSTALLED = Path.of("contracts", "node_modules", ".bin", "anvil");

  private AnvilBinary() {}

  /// The program named by the property or the environment, or the one installed in the contracts/
  /// folder of `start` or of a folder above it.
  ///
  /// @throws LedgerException if there is none; the message says how to install it
  public static Path find(Path start) {
    for (@Nullable String named :
        new @Nullable String[] {System.getProperty(PROPERTY), System.getenv(ENVIRONMENT)}) {
      if (named != null && !named.isEmpty()) {
        Path program = Path.of(named);
        if (!Files.isExecutable(program)) {
          throw new LedgerException(
              "%s names %s, which is no program; correct it or leave it out."
                  .formatted(ENVIRONMENT, named));
        }
        return program;
      }
    }
    for (Path folder = start.toAbsolutePath(); folder != null; folder = folder.getParent()) {
      Path program = folder.resolve(INSTALLED);
      if (Files.isExecutable(program)) {
        return nativeProgram(program).orElse(program);
      }
    }
    throw new LedgerException(
        "There is no anvil, the development chain; run `npm ci` in the contracts folder, or let "
            + ENVIRONMENT
            + " name the program.");
  }

  /// What npm links is a script that starts the real program as its child. The child is taken
  /// itself, so that ending the process ends the chain.
  private static Optional<Path> nativeProgram(Path script) {
    Path scope = script.resolveSibling("..").resolve("@foundry-rs").normalize();
    String system =
        switch (System.getProperty("os.name", "").toLowerCase(Locale.ROOT)) {
          case String name when name.contains("mac") -> "darwin";
          case String name when name.contains("win") -> "win32";
          default -> "linux";
        };
    String processor =
        List.of("aarch64", "arm64").contains(System.getProperty("os.arch", "")) ? "arm64" : "amd64";
    try (Stream<Path> packages = Files.list(scope)) {
      return packages
          .filter(folder -> folder.endsWith("anvil-" + system + "-" + processor))
          .map(folder -> folder.resolve("bin").resolve("anvil"))
          .filter(Files::isExecutable)
          .findFirst();
    } catch (IOException | UncheckedIOException e) {
      return Optional.empty();
    }
  }
}

package io.rigmesh.ledger.channel;

import io.rigmesh.ledger.dev.AnvilBinary;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Foundry's cast, which signs as other wallets do.
public final class Cast {
  private Cast() {}

  /// Runs cast and returns what it prints.
  public static String run(String... arguments) {
    // The native program of anvil lies in a folder of its own beside cast's.
    Path anvil = AnvilBinary.find(Path.of("")).toAbsolutePath().normalize();
    Path cast = Path.of(anvil.toString().replace("anvil", "cast"));
    List<String> command = new ArrayList<>(List.of(cast.toString()));
    command.addAll(List.of(arguments));
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      String out =
          new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      int code = process.waitFor();
      if (code != 0) {
        throw new AssertionError(arguments[0] + " ended with " + code + ": " + out);
      }
      return out;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }
}

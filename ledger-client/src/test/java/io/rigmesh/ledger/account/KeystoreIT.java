package io.rigmesh.ledger.account;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.ledger.dev.AnvilBinary;
import io.rigmesh.protocol.AccountKey;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Keystores exchanged with cast, Foundry's wallet.
class KeystoreIT {
  @TempDir Path folder;

  @Test
  void castOpensWhatWeWrite() throws Exception {
    AccountKey key = AccountKey.generate();
    Path file = folder.resolve("ours.json");
    Keystore.create(file, key, "pass word".toCharArray());
    String said =
        cast("wallet", "address", "--keystore", file.toString(), "--password", "pass word");
    assertThat(said).contains(key.address().hex());
  }

  @Test
  void weOpenWhatCastWrites() throws Exception {
    AccountKey key = AccountKey.generate();
    cast(
        "wallet",
        "import",
        "theirs",
        "--keystore-dir",
        folder.toString(),
        "--unsafe-password",
        "pass word",
        "--private-key",
        "0x" + HexFormat.of().formatHex(key.secret()));
    Path file;
    try (Stream<Path> files = Files.list(folder)) {
      file =
          files.filter(f -> f.getFileName().toString().equals("theirs")).findFirst().orElseThrow();
    }
    assertThat(Keystore.open(file, "pass word".toCharArray()).secret()).isEqualTo(key.secret());
  }

  private static String cast(String... arguments) throws Exception {
    // Every folder that has anvil has cast: the same `npm ci` brings both.
    Path anvil = AnvilBinary.find(Path.of(""));
    Path modules = anvil;
    while (!modules.getFileName().toString().equals("node_modules")) {
      modules = modules.getParent();
    }
    List<String> command =
        Stream.concat(
                Stream.of(modules.resolve(".bin").resolve("cast").toString()), Stream.of(arguments))
            .toList();
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes());
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).as(said.toLowerCase(Locale.ROOT)).isZero();
    return said;
  }
}

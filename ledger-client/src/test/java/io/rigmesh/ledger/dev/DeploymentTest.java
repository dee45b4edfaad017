package io.rigmesh.ledger.dev;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.ledger.LedgerException;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Digests;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DeploymentTest {
  @TempDir Path folder;

  private static Deployment deployment() {
    return new Deployment(
        31337,
        Digests.sha256(new byte[] {1}),
        AccountKey.generate().address(),
        AccountKey.generate().address(),
        AccountKey.generate().address(),
        AccountKey.generate().address(),
        AccountKey.generate().address(),
        7);
  }

  @Test
  void aFileComesBackAsItWasAndReplacesTheOneBefore() {
    Path file = folder.resolve("deployment.json");
    deployment().write(file);
    Deployment second = deployment();
    second.write(file);
    assertThat(Deployment.read(file)).isEqualTo(second);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "chainId",
        "genesis",
        "token",
        "registry",
        "escrow",
        "channels",
        "receipts",
        "block"
      })
  void aFieldThatIsMissingOrWrongIsNamed(String field) throws IOException {
    Path file = folder.resolve("deployment.json");
    deployment().write(file);
    String good = Files.readString(file);
    Files.writeString(file, good.replace("\"" + field + "\"", "\"other\""));
    assertThatThrownBy(() -> Deployment.read(file))
        .isInstanceOf(LedgerException.class)
        .hasMessageContaining("field " + field + " of ");
    Files.writeString(file, good.replaceAll("(\"" + field + "\"\\s*:\\s*)[^,}\\s]+", "$1[]"));
    assertThatThrownBy(() -> Deployment.read(file))
        .isInstanceOf(LedgerException.class)
        .hasMessageContaining("field " + field + " of ");
  }

  @Test
  void noFileAndNoJsonAreSaid() throws IOException {
    Path file = folder.resolve("deployment.json");
    assertThatThrownBy(() -> Deployment.read(file)).hasMessageContaining("There is no deployment");
    Files.writeString(file, "{");
    assertThatThrownBy(() -> Deployment.read(file)).hasMessageContaining("is not JSON");
    Files.write(file, new byte[100_000]);
    assertThatThrownBy(() -> Deployment.read(file)).hasMessageContaining("no deployment file");
  }
}

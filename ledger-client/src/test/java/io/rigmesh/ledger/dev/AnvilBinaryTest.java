package io.rigmesh.ledger.dev;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.rigmesh.ledger.LedgerException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AnvilBinaryTest {
  @TempDir Path folder;

  @Test
  void whereThereIsNoneTheSentenceSaysHowToInstallIt() {
    assumeThat(System.getenv(AnvilBinary.ENVIRONMENT)).isNull();
    assertThatThrownBy(() -> AnvilBinary.find(folder))
        .isInstanceOf(LedgerException.class)
        .hasMessageContaining("run `npm ci` in the contracts folder");
  }

  @Test
  void itIsFoundInAFolderAbove() throws IOException {
    assumeThat(System.getenv(AnvilBinary.ENVIRONMENT)).isNull();
    Path bin = Files.createDirectories(folder.resolve("contracts/node_modules/.bin"));
    Path program = Files.createFile(bin.resolve("anvil"));
    assertThat(program.toFile().setExecutable(true)).isTrue();
    Path below = Files.createDirectories(folder.resolve("a/b"));
    assertThat(AnvilBinary.find(below)).isEqualTo(program);
  }

  @Test
  void aWrongNameIsSaid() {
    System.setProperty(AnvilBinary.PROPERTY, folder.resolve("nothing").toString());
    try {
      assertThatThrownBy(() -> AnvilBinary.find(folder))
          .isInstanceOf(LedgerException.class)
          .hasMessageContaining("which is no program");
    } finally {
      System.clearProperty(AnvilBinary.PROPERTY);
    }
  }
}

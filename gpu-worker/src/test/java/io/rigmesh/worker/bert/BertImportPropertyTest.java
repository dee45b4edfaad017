package io.rigmesh.worker.bert;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.worker.bert.TinyOnnx.LinearDialect;
import io.rigmesh.worker.format.ModelFormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;

class BertImportPropertyTest {

  private static Path folder = Path.of("");
  private static byte[] valid = {};

  @BeforeContainer
  static void makeAValidFile() throws IOException {
    folder = Files.createTempDirectory("onnx");
    valid = new TinyOnnx(LinearDialect.FOLDED, "").bytes();
  }

  @AfterContainer
  static void removeTheFolder() throws IOException {
    try (var files = Files.walk(folder)) {
      files.sorted(java.util.Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
    }
  }

  @Property(tries = 600)
  void aMutatedExportIsEitherReadOrRefusedPrecisely(
      @ForAll long seed, @ForAll @IntRange(min = 1, max = 6) int mutations) throws IOException {
    Random random = new Random(seed);
    byte[] bytes = valid.clone();
    // Most bytes are weights; names, lengths and nodes stand in the first half of this file.
    for (int i = 0; i < mutations; i++) {
      int at = random.nextInt(random.nextBoolean() ? Math.min(6000, bytes.length) : bytes.length);
      switch (random.nextInt(4)) {
        case 0 -> bytes[at] = (byte) random.nextInt();
        case 1 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
        case 2 -> bytes[at] = (byte) 0xFF;
        default -> {
          if (random.nextInt(4) == 0) {
            bytes = Arrays.copyOf(bytes, at + 1);
          }
        }
      }
    }
    importOrRefuse(bytes);
  }

  @Property(tries = 300)
  void arbitraryBytesAreEitherReadOrRefusedPrecisely(@ForAll @Size(max = 300) byte[] bytes)
      throws IOException {
    importOrRefuse(bytes);
  }

  private static void importOrRefuse(byte[] bytes) throws IOException {
    Path file = Files.write(folder.resolve("mutated.onnx"), bytes);
    try {
      BertConfig config = BertImport.write(file, "mutated.onnx", folder);
      assertThat(config.hiddenSize() % config.heads()).isZero();
    } catch (ModelFormatException e) {
      assertThat(e.file()).isEqualTo("mutated.onnx");
      assertThat(e.offset()).isBetween(-1L, (long) bytes.length);
    }
  }
}

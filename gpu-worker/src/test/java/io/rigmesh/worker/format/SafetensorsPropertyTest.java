package io.rigmesh.worker.format;

import static org.assertj.core.api.Assertions.assertThat;

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

class SafetensorsPropertyTest {

  private static Path folder = Path.of("");
  private static byte[] valid = {};

  @BeforeContainer
  static void writeAValidFile() throws IOException {
    folder = Files.createTempDirectory("safetensors");
    Path path = folder.resolve("valid.safetensors");
    new SafetensorsWriter()
        .metadata("format", "pt")
        .add("first.weight", new float[12], 3, 4)
        .add("second.bias", new float[5], 5)
        .add("third", new long[2], 2)
        .write(path);
    valid = Files.readAllBytes(path);
  }

  @AfterContainer
  static void removeTheFolder() throws IOException {
    try (var files = Files.walk(folder)) {
      files.sorted(java.util.Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
    }
  }

  @Property(tries = 3000)
  void aMutatedFileIsEitherReadOrRefusedPrecisely(
      @ForAll long seed, @ForAll @IntRange(min = 1, max = 8) int mutations) throws IOException {
    Random random = new Random(seed);
    byte[] bytes = valid.clone();
    for (int i = 0; i < mutations; i++) {
      int at = random.nextInt(bytes.length);
      switch (random.nextInt(4)) {
        case 0 -> bytes[at] = (byte) random.nextInt();
        case 1 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
        case 2 -> bytes = Arrays.copyOf(bytes, Math.max(1, at));
        default -> bytes[at] = "0123456789{}[]\",:-e.".getBytes()[random.nextInt(20)];
      }
    }
    readOrRefuse(bytes);
  }

  @Property(tries = 500)
  void arbitraryBytesAreEitherReadOrRefusedPrecisely(@ForAll @Size(max = 200) byte[] bytes)
      throws IOException {
    readOrRefuse(bytes);
  }

  @Property(tries = 300)
  void floatsOfEveryFiniteBitPatternSurviveARoundTrip(@ForAll @Size(max = 300) int[] bits)
      throws IOException {
    float[] values = new float[bits.length];
    for (int i = 0; i < bits.length; i++) {
      float value = Float.intBitsToFloat(bits[i]);
      values[i] = Float.isFinite(value) ? value : 0f;
    }
    Path path = folder.resolve("round.safetensors");
    new SafetensorsWriter().add("w", values, values.length).write(path);
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      float[] read = file.floats("w");
      assertThat(read.length).isEqualTo(values.length);
      for (int i = 0; i < read.length; i++) {
        assertThat(Float.floatToRawIntBits(read[i])).isEqualTo(Float.floatToRawIntBits(values[i]));
      }
    }
  }

  private static void readOrRefuse(byte[] bytes) throws IOException {
    Path path = folder.resolve("mutated.safetensors");
    Files.write(path, bytes);
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      for (String name : file.names()) {
        StoredTensor tensor = file.tensor(name);
        assertThat(tensor.offset() + tensor.bytes()).isLessThanOrEqualTo(bytes.length);
        if (tensor.type().readableAsFloats()) {
          assertThat(file.floats(name)).hasSize((int) tensor.elements());
        }
      }
    } catch (ModelFormatException e) {
      assertThat(e.file()).isEqualTo(path.toString());
      assertThat(e.offset()).isBetween(-1L, (long) bytes.length);
      assertThat(e.field()).isNotEmpty();
    }
  }
}

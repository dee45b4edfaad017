package io.rigmesh.worker.format;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsTest {

  @TempDir Path folder;

  @Test
  void whatIsWrittenIsReadBackExactly() {
    float[] weights = {1f, -0f, Float.MIN_VALUE, -Float.MAX_VALUE, 0.1f, 3f};
    Path path = folder.resolve("model.safetensors");
    new SafetensorsWriter()
        .metadata("format", "pt")
        .add("b.weight", weights, 2, 3)
        .add("a.bias", new float[] {7f}, 1)
        .add("steps", new long[] {1L << 40}, 1)
        .add("empty", new float[0], 0, 5)
        .add("scalar", new float[] {2f})
        .write(path);
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      assertThat(file.metadata()).isEqualTo(Map.of("format", "pt"));
      assertThat(file.names())
          .containsExactlyInAnyOrder("steps", "a.bias", "b.weight", "empty", "scalar");
      assertThat(bits(file.floats("b.weight"))).isEqualTo(bits(weights));
      assertThat(file.tensor("b.weight").shape()).isEqualTo(List.of(2L, 3L));
      assertThat(file.tensor("b.weight").type()).isEqualTo(ElementType.F32);
      assertThat(file.floats("empty")).isEmpty();
      assertThat(file.floats("scalar")).containsExactly(2f);
      assertThat(file.bytes("steps").toArray(java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED))
          .containsExactly(1L << 40);
    }
  }

  @Test
  void theSameTensorsGiveTheSameBytesInWhateverOrderTheyWereAdded() throws IOException {
    Path one = folder.resolve("one.safetensors");
    Path two = folder.resolve("two.safetensors");
    new SafetensorsWriter().add("x", new float[] {1}, 1).add("y", new long[] {2}, 1).write(one);
    new SafetensorsWriter().add("y", new long[] {2}, 1).add("x", new float[] {1}, 1).write(two);
    assertThat(Files.readAllBytes(one)).isEqualTo(Files.readAllBytes(two));
    try (Stream<Path> left = Files.list(folder)) {
      assertThat(left).containsExactlyInAnyOrder(one, two);
    }
  }

  @Test
  void halfPrecisionFloatsAreReadExactly() throws IOException {
    // 0x3555 is the half nearest a third, 0x0001 its smallest subnormal; 0x3EAB is the bfloat
    // nearest a third.
    ByteBuffer halves = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
    halves.putShort((short) 0x3555).putShort((short) 0x0001);
    halves.putShort((short) 0x8000).putShort((short) 0xFBFF).flip();
    ByteBuffer brains = ByteBuffer.allocate(2).order(ByteOrder.LITTLE_ENDIAN);
    brains.putShort((short) 0x3EAB).flip();
    Path path = folder.resolve("half.safetensors");
    new SafetensorsWriter()
        .add("h", ElementType.F16, halves, 4)
        .add("b", ElementType.BF16, brains, 1)
        .write(path);
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      assertThat(file.floats("h")).containsExactly(0.333251953125f, 0x1p-24f, -0f, -65504f);
      assertThat(file.floats("b")).containsExactly(0.333984375f);
    }
  }

  @Test
  void aHeaderWrittenByHandWithUnalignedDataIsRead() throws IOException {
    String json = "{\"t\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}} ";
    Path path = file(json, new byte[] {0, 0, (byte) 0x80, 0x3f});
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      assertThat(file.floats("t")).containsExactly(1f);
    }
  }

  @Test
  void eachDefectIsRefusedWithItsFieldAndOffset() throws IOException {
    String f32 = "{\"t\":{\"dtype\":\"F32\",";
    refused(
        "{\"t\":{\"dtype\":\"F33\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "t.dtype", "\"F33");
    refused(f32 + "\"shape\":[2],\"data_offsets\":[0,4]}}", 4, "t.data_offsets", "[0,4]");
    refused(f32 + "\"shape\":[-1],\"data_offsets\":[0,4]}}", 4, "t.shape[0]", "-1");
    refused(f32 + "\"shape\":[1],\"data_offsets\":[0,8]}}", 4, "t.data_offsets[1]", "8]");
    refused(f32 + "\"shape\":[1],\"data_offsets\":[4,8]}}", 8, "t.data_offsets", "[4,8]");
    refused(f32 + "\"shape\":[1]}}", 4, "t.data_offsets", "{\"dtype");
    refused(f32 + "\"shape\":1,\"data_offsets\":[0,4]}}", 4, "t.shape", "1,");
    String huge = "[4294967296,4294967296]";
    refused(f32 + "\"shape\":" + huge + ",\"data_offsets\":[0,4]}}", 4, "t.shape", huge);
    refused(f32 + "\"shape\":[0],\"data_offsets\":[0,0]}} [1]", 0, "end", "[1]");
    refused("[]", 0, "json", "[]");
  }

  @Test
  void bytesThatBelongToNoTensorAreRefused() throws IOException {
    Path path =
        file("{\"t\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", new byte[9]);
    assertThatThrownBy(() -> SafetensorsFile.open(path))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("8 bytes that belong to no tensor");
  }

  @Test
  void aDuplicateNameAndABrokenHeaderAreRefused() throws IOException {
    String entry = "{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}";
    Path twice = file("{\"t\":" + entry + ",\"t\":" + entry + "}", new byte[0]);
    assertThatThrownBy(() -> SafetensorsFile.open(twice))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("Duplicate field 't'");
    Path cut = file("{\"t\":{\"dtype\"", new byte[0]);
    assertThatThrownBy(() -> SafetensorsFile.open(cut)).isInstanceOf(ModelFormatException.class);
  }

  @Test
  void aHeaderLengthBeyondTheFileIsRefusedBeforeAnythingIsAllocated() throws IOException {
    Path path = folder.resolve("long.safetensors");
    ByteBuffer bytes = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
    Files.write(path, bytes.putLong(Long.MAX_VALUE).array());
    assertThatThrownBy(() -> SafetensorsFile.open(path))
        .isInstanceOfSatisfying(
            ModelFormatException.class,
            e -> {
              assertThat(e.field()).isEqualTo("header length");
              assertThat(e.offset()).isZero();
              assertThat(e.file()).isEqualTo(path.toString());
            });
    Files.write(path, new byte[3]);
    assertThatThrownBy(() -> SafetensorsFile.open(path))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("3 bytes");
  }

  @Test
  void aWeightThatIsNotFiniteIsRefusedWithItsIndex() {
    Path path = folder.resolve("nan.safetensors");
    new SafetensorsWriter().add("w", new float[] {0f, Float.NaN}, 2).write(path);
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      assertThatThrownBy(() -> file.floats("w"))
          .isInstanceOf(ModelFormatException.class)
          .hasMessageContaining("w[1]");
    }
  }

  @Test
  void shardsAreFoundThroughTheirIndex() throws IOException {
    Files.writeString(folder.resolve("config.json"), "{}");
    new SafetensorsWriter().add("a", new float[] {1}, 1).write(folder.resolve("m-1.safetensors"));
    new SafetensorsWriter().add("b", new float[] {2}, 1).write(folder.resolve("m-2.safetensors"));
    Path index = folder.resolve("model.safetensors.index.json");
    Files.writeString(
        index, "{\"weight_map\":{\"a\":\"m-1.safetensors\",\"b\":\"m-2.safetensors\"}}");
    try (ModelFolder model = ModelFolder.open(folder)) {
      assertThat(model.names()).containsExactly("a", "b");
      assertThat(model.floats("b", 1)).containsExactly(2f);
      assertThatThrownBy(() -> model.floats("b", 2)).hasMessageContaining("b.shape");
      assertThatThrownBy(() -> model.floats("c", 2)).hasMessageContaining("c");
    }
    Files.writeString(index, "{\"weight_map\":{\"a\":\"../m-1.safetensors\"}}");
    assertThatThrownBy(() -> ModelFolder.open(folder))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("weight_map.a at byte 19");
  }

  private void refused(String json, int dataBytes, String field, String at) throws IOException {
    Path path = file(json, new byte[dataBytes]);
    assertThatThrownBy(() -> SafetensorsFile.open(path))
        .isInstanceOfSatisfying(
            ModelFormatException.class,
            e -> {
              assertThat(e.field()).as(json).isEqualTo(field);
              assertThat(e.offset()).as(json).isEqualTo(8L + json.indexOf(at));
            });
  }

  private Path file(String json, byte[] data) throws IOException {
    byte[] header = json.getBytes(UTF_8);
    ByteBuffer bytes =
        ByteBuffer.allocate(8 + header.length + data.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(header.length).put(header).put(data);
    Path path = folder.resolve("hand.safetensors");
    Files.write(path, bytes.array());
    return path;
  }

  private static int[] bits(float[] values) {
    int[] bits = new int[values.length];
    for (int i = 0; i < values.length; i++) {
      bits[i] = Float.floatToRawIntBits(values[i]);
    }
    return bits;
  }
}

package io.rigmesh.worker.llama;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rigmesh.worker.format.ElementType;
import io.rigmesh.worker.format.JsonField;
import io.rigmesh.worker.format.SafetensorsWriter;
import io.rigmesh.worker.kernels.Philox;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// Writes Hugging Face folders of any family with random weights, large enough for every part of
/// the model to matter.
public final class FamilyFolder {
  private static final long STREAM = 1L << 59;
  private static final ObjectMapper JSON = new ObjectMapper();

  private FamilyFolder() {}

  /// Writes `config.json` and the weights that go with it.
  ///
  /// @param config the text of `config.json`
  /// @param type F32, F16 or BF16
  /// @param shards how many files the tensors are dealt out to; 1 means `model.safetensors`
  public static LlamaConfig write(
      Path folder, String config, ElementType type, int shards, long seed) {
    try {
      Files.createDirectories(folder);
      Files.writeString(folder.resolve("config.json"), config);
      LlamaConfig read =
          LlamaConfigJson.read(JsonField.read(folder.resolve("config.json"), 1 << 20));
      List<SafetensorsWriter> writers = new ArrayList<>();
      for (int shard = 0; shard < shards; shard++) {
        writers.add(new SafetensorsWriter().metadata("format", "pt"));
      }
      ObjectNode map = JSON.createObjectNode();
      int index = 0;
      for (Map.Entry<String, int[]> entry : LlamaTensors.shapes(read).entrySet()) {
        String name = entry.getKey();
        long[] shape = new long[entry.getValue().length];
        for (int i = 0; i < shape.length; i++) {
          shape[i] = entry.getValue()[i];
        }
        writers
            .get(index % shards)
            .add(name, type, bytes(values(name, entry.getValue(), seed, index), type), shape);
        map.put(name, shardName(index % shards, shards));
        index++;
      }
      for (int shard = 0; shard < shards; shard++) {
        writers.get(shard).write(folder.resolve(shardName(shard, shards)));
      }
      if (shards > 1) {
        ObjectNode root = JSON.createObjectNode();
        root.putObject("metadata").put("total_size", 0);
        root.set("weight_map", map);
        Files.writeString(
            folder.resolve("model.safetensors.index.json"), JSON.writeValueAsString(root));
      }
      return read;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static String shardName(int shard, int shards) {
    return shards == 1
        ? "model.safetensors"
        : "model-%05d-of-%05d.safetensors".formatted(shard + 1, shards);
  }

  private static float[] values(String name, int[] shape, long seed, int index) {
    int size = 1;
    for (int length : shape) {
      size *= length;
    }
    boolean gain = name.endsWith("norm.weight");
    float deviation = shape.length == 1 ? 0.3f : (float) (1 / Math.sqrt(shape[1]));
    float[] values = new float[size];
    for (int i = 0; i < size; i++) {
      values[i] = (gain ? 1f : 0f) + deviation * Philox.gaussian(seed, STREAM + index, i);
    }
    return values;
  }

  private static ByteBuffer bytes(float[] values, ElementType type) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * type.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      switch (type) {
        case F32 -> bytes.putFloat(value);
        case F16 -> bytes.putShort(Float.floatToFloat16(value));
        case BF16 -> bytes.putShort((short) (Float.floatToRawIntBits(value) >>> 16));
        default -> throw new IllegalArgumentException("no weights of type " + type);
      }
    }
    return bytes.flip();
  }
}

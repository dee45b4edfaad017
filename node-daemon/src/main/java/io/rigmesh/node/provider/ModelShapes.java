package io.rigmesh.node.provider;

import com.fasterxml.jackson.databind.JsonNode;
import io.rigmesh.node.blob.Blobs;
import io.rigmesh.protocol.FolderManifest;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.MalformedException;
import io.rigmesh.protocol.ProtocolJson;
import io.rigmesh.protocol.Task;
import io.rigmesh.scheduler.estimate.ModelShape;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Optional;

/// Reads a model's size off its folder, without opening its weights.
final class ModelShapes {
  private static final int CONFIG_BYTES_MAX = 1 << 20;
  private static final int FLOAT_BYTES = 4;

  private final Blobs blobs;

  ModelShapes(Blobs blobs) {
    this.blobs = blobs;
  }

  /// The size of a job's model, or empty if its folder is not here.
  ///
  /// @throws MalformedException if its config.json cannot be read
  Optional<ModelShape> of(Job job) {
    if (job.task() instanceof Task.Train train && train.architecture().isPresent()) {
      return train.architecture().map(ModelShape::of);
    }
    return blobs.folder(job.model()).map(this::read);
  }

  private ModelShape read(FolderManifest manifest) {
    FolderManifest.File config =
        manifest.files().stream()
            .filter(f -> f.path().equals("config.json"))
            .findFirst()
            .orElseThrow(() -> new MalformedException("the model's folder has no config.json"));
    if (config.sizeBytes() > CONFIG_BYTES_MAX) {
      throw new MalformedException(
          "the model's config.json has at most " + CONFIG_BYTES_MAX + " bytes");
    }
    JsonNode json;
    try (InputStream in = blobs.open(config.root())) {
      json = ProtocolJson.parse(in.readAllBytes(), "the model's config.json");
    } catch (IOException e) {
      throw new UncheckedIOException("the model's config.json cannot be read", e);
    }
    long weightBytes =
        manifest.files().stream()
            .filter(f -> f.path().endsWith(".safetensors"))
            .mapToLong(FolderManifest.File::sizeBytes)
            .sum();
    int dim = integer(json, "hidden_size", 65_536);
    int heads = integer(json, "num_attention_heads", 1_024);
    int kvHeads =
        json.has("num_key_value_heads") ? integer(json, "num_key_value_heads", heads) : heads;
    return new ModelShape(
        weightBytes / FLOAT_BYTES,
        integer(json, "num_hidden_layers", 1_024),
        dim,
        dim / heads * kvHeads,
        integer(json, "intermediate_size", 1 << 20),
        integer(json, "vocab_size", 1 << 24));
  }

  private static int integer(JsonNode json, String field, int max) {
    JsonNode value = json.path(field);
    if (!value.isInt() || value.intValue() < 1 || value.intValue() > max) {
      throw new MalformedException(
          "the field " + field + " of the model's config.json lies between 1 and " + max);
    }
    return value.intValue();
  }
}

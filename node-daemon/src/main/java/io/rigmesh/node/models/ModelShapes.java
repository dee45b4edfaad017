package io.rigmesh.node.models;

import com.fasterxml.jackson.databind.JsonNode;
import io.rigmesh.node.blob.Blobs;
import io.rigmesh.protocol.FolderManifest;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.MalformedException;
import io.rigmesh.protocol.Task;
import io.rigmesh.scheduler.estimate.ModelShape;
import java.util.Optional;

/// Reads a model's size off its folder, without opening its weights, which need not be here yet.
public final class ModelShapes {
  private static final int FLOAT_BYTES = 4;

  private final Blobs blobs;

  /// The sizes of models in a store.
  public ModelShapes(Blobs blobs) {
    this.blobs = blobs;
  }

  /// The size of a task's model, or empty if the manifest of its folder or its config.json is not
  /// here.
  ///
  /// @throws MalformedException if its config.json cannot be read
  public Optional<ModelShape> of(Task task, Hash model) {
    if (task instanceof Task.Train train && train.architecture().isPresent()) {
      return train.architecture().map(ModelShape::of);
    }
    return blobs
        .manifest(model)
        .flatMap(manifest -> ModelConfig.read(manifest, blobs).map(json -> read(manifest, json)));
  }

  private static ModelShape read(FolderManifest manifest, JsonNode json) {
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

package io.rigmesh.node.models;

import io.rigmesh.node.blob.Blobs;
import io.rigmesh.protocol.FolderManifest;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.MalformedException;
import io.rigmesh.protocol.Task;
import io.rigmesh.scheduler.estimate.ModelShape;
import io.rigmesh.worker.bert.BertConfig;
import io.rigmesh.worker.format.JsonField;
import io.rigmesh.worker.format.ModelFormatException;
import io.rigmesh.worker.llama.LlamaConfig;
import io.rigmesh.worker.llama.LlamaConfigJson;
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
  /// @throws MalformedException if its config.json cannot be read, or this engine cannot do the
  ///   task with such a model
  public Optional<ModelShape> of(Task task, Hash model) {
    if (task instanceof Task.Train train && train.architecture().isPresent()) {
      return train.architecture().map(ModelShape::of);
    }
    try {
      return blobs
          .manifest(model)
          .flatMap(manifest ->
              ModelConfig.read(manifest, blobs)
                  .map(config ->
                      BertConfig.isBert(config)
                          ? bert(task, manifest, config)
                          : decoder(task, config)));
    } catch (ModelFormatException e) {
      throw new MalformedException("this engine cannot run the model: " + e.getMessage());
    }
  }

  private static ModelShape bert(Task task, FolderManifest manifest, JsonField config) {
    if (!(task instanceof Task.Embed)) {
      throw new MalformedException("the model is a BERT, which embeds and does nothing else");
    }
    BertConfig bert = BertConfig.read(config);
    long weightBytes =
        manifest.files().stream()
            .filter(f -> f.path().endsWith(".safetensors"))
            .mapToLong(FolderManifest.File::sizeBytes)
            .sum();
    return new ModelShape(
        weightBytes / FLOAT_BYTES,
        bert.layers(),
        bert.hiddenSize(),
        bert.hiddenSize(),
        bert.intermediateSize(),
        bert.vocabularySize());
  }

  /// The parameters are counted by the config: in the file they may be half as large as in memory.
  private static ModelShape decoder(Task task, JsonField config) {
    LlamaConfig decoder = LlamaConfigJson.read(config);
    if (task instanceof Task.Train) {
      decoder
          .beyondPlainLlama()
          .ifPresent(field -> {
            throw new MalformedException(
                "only plain Llamas are trained, and this model has " + field);
          });
    }
    return new ModelShape(
        decoder.parameterCount(),
        decoder.layers(),
        decoder.hiddenSize(),
        decoder.headDim() * decoder.kvHeads(),
        decoder.feedForwardSize(),
        decoder.vocabularySize());
  }
}

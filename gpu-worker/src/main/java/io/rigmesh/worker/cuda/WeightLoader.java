package io.rigmesh.worker.cuda;

import io.rigmesh.worker.bert.BertWeights;
import io.rigmesh.worker.format.ModelWeight;
import io.rigmesh.worker.kernels.RopeTable;
import io.rigmesh.worker.llama.LlamaWeights;
import java.util.List;

/// Loads models whose memory was taken, weight after weight in the order of the device.
final class WeightLoader {
  private final WeightUpload upload;

  private WeightLoader(WeightUpload upload) {
    this.upload = upload;
  }

  /// Loads a model of the Llama family.
  static void load(WeightUpload upload, LlamaWeights weights, DeviceLlama model) {
    new WeightLoader(upload).load(weights, model);
  }

  /// Loads a BERT encoder.
  static void load(WeightUpload upload, BertWeights weights, DeviceBert model) {
    new WeightLoader(upload).load(weights, model);
  }

  private void load(LlamaWeights weights, DeviceLlama model) {
    upload.copy(weights.embedding(), model.embedding());
    for (int index = 0; index < model.layers().size(); index++) {
      load(weights.layers().get(index), model.layers().get(index));
    }
    upload.vector(weights.finalNorm(), model.finalNorm());
    upload.matrix(model.head(), List.of(weights.head()));
    RopeTable rope = model.config().ropeTable(model.positions());
    upload.write(model.cos(), rope.cos());
    upload.write(model.sin(), rope.sin());
    upload.done();
  }

  private void load(LlamaWeights.Layer from, DeviceLlama.Layer to) {
    upload.vector(from.attentionNorm(), to.attentionNorm());
    upload.matrix(to.qkv(), List.of(from.query(), from.key(), from.value()));
    upload.vectors(List.of(from.queryBias(), from.keyBias(), from.valueBias()), to.qkvBias());
    upload.vectors(List.of(from.queryNorm()), to.queryNorm());
    upload.vectors(List.of(from.keyNorm()), to.keyNorm());
    upload.matrix(to.output(), List.of(from.output()));
    upload.vectors(List.of(from.outputBias()), to.outputBias());
    upload.vector(from.feedForwardNorm(), to.feedForwardNorm());
    upload.matrix(to.gateUp(), List.of(from.gate(), from.up()));
    upload.matrix(to.down(), List.of(from.down()));
  }

  private void load(BertWeights weights, DeviceBert model) {
    upload.vector(weights.words(), model.words());
    upload.vector(weights.positions(), model.positions());
    upload.vector(weights.types(), model.types());
    norm(weights.embeddingNorm(), model.embeddingNorm());
    List<BertWeights.Layer> layers = weights.layers();
    for (int index = 0; index < layers.size(); index++) {
      BertWeights.Layer from = layers.get(index);
      DeviceBert.Layer to = model.layers().get(index);
      linear(to.qkv(), from.query(), from.key(), from.value());
      linear(to.attentionOutput(), from.attentionOutput());
      norm(from.attentionNorm(), to.attentionNorm());
      linear(to.intermediate(), from.intermediate());
      linear(to.output(), from.output());
      norm(from.outputNorm(), to.outputNorm());
    }
    upload.done();
  }

  /// Linear layers that were joined to one.
  private void linear(DeviceBert.Linear to, BertWeights.Linear... from) {
    upload.matrix(to.weight(), List.of(from).stream().map(BertWeights.Linear::weight).toList());
    long bias = to.bias();
    for (BertWeights.Linear part : from) {
      ModelWeight vector = part.bias();
      upload.vector(vector, bias);
      bias += 4L * vector.elements();
    }
  }

  private void norm(BertWeights.Norm from, DeviceBert.Norm to) {
    upload.vector(from.gain(), to.gain());
    upload.vector(from.bias(), to.bias());
  }
}

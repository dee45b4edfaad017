package io.rigmesh.worker.bert;

import io.rigmesh.worker.tensor.Tensor;

/// The memory of one pass, made once and used by all layers and passes.
final class BertWorkspace {

  private final Tensor hidden;
  private final Tensor query;
  private final Tensor key;
  private final Tensor value;
  private final Tensor context;
  private final Tensor intermediate;

  /// The first T rows of everything: all `(T, hidden)` but intermediate, which is `(T,
  /// intermediate)`.
  record Rows(
      Tensor hidden, Tensor query, Tensor key, Tensor value, Tensor context, Tensor intermediate) {}

  BertWorkspace(BertConfig config, int rowsMax) {
    this.hidden = Tensor.zeros(rowsMax, config.hiddenSize());
    this.query = Tensor.zeros(rowsMax, config.hiddenSize());
    this.key = Tensor.zeros(rowsMax, config.hiddenSize());
    this.value = Tensor.zeros(rowsMax, config.hiddenSize());
    this.context = Tensor.zeros(rowsMax, config.hiddenSize());
    this.intermediate = Tensor.zeros(rowsMax, config.intermediateSize());
  }

  Rows rows(int count) {
    return new Rows(
        hidden.rows(0, count),
        query.rows(0, count),
        key.rows(0, count),
        value.rows(0, count),
        context.rows(0, count),
        intermediate.rows(0, count));
  }
}

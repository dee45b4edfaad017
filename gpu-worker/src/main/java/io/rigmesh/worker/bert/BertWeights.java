package io.rigmesh.worker.bert;

import io.rigmesh.worker.format.ModelFolder;
import io.rigmesh.worker.tensor.Tensor;
import java.util.Map;

/// The weights of a folder, checked against its config. A checkpoint of a model with a head, say
/// for classification, has its encoder under `bert.`.
final class BertWeights {

  private static final String NESTED = "bert.";

  private final ModelFolder folder;
  private final BertConfig config;
  private final Map<String, long[]> shapes;
  private final String prefix;

  BertWeights(ModelFolder folder) {
    this.folder = folder;
    this.config = BertConfig.read(folder.config());
    this.shapes = BertTensors.shapes(config);
    this.prefix = folder.find(NESTED + BertTensors.WORDS).isPresent() ? NESTED : "";
  }

  BertConfig config() {
    return config;
  }

  Tensor tensor(String name) {
    long[] shape = java.util.Objects.requireNonNull(shapes.get(name), name);
    int[] dimensions = new int[shape.length];
    for (int i = 0; i < shape.length; i++) {
      dimensions[i] = Math.toIntExact(shape[i]);
    }
    return Tensor.of(folder.floats(prefix + name, shape), dimensions);
  }
}

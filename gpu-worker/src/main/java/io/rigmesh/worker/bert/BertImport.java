package io.rigmesh.worker.bert;

import io.rigmesh.worker.format.OnnxGraph;
import io.rigmesh.worker.format.SafetensorsWriter;
import java.nio.file.Path;

/// Turns the ONNX export of a BERT encoder into the `model.safetensors` of a Hugging Face folder.
/// Serves float32, float16 and bfloat16 exports by PyTorch of any size, with or without a name
/// prefix; not quantised or fused ones.
public final class BertImport {

  private BertImport() {}

  /// Reads the export and writes the weights.
  ///
  /// @param onnx the export, a plain file
  /// @param name the export's name in errors
  /// @param folder an existing folder
  /// @return the config that belongs to the weights, not written yet
  /// @throws io.rigmesh.worker.format.ModelFormatException when the file is malformed or no such
  ///   export
  public static BertConfig write(Path onnx, String name, Path folder) {
    SafetensorsWriter writer = new SafetensorsWriter().metadata("format", "pt");
    BertConfig config;
    try (OnnxGraph graph = OnnxGraph.open(onnx, name)) {
      OnnxBert bert = new OnnxBert(graph);
      config = bert.config();
      bert.addTo(writer);
    }
    writer.write(folder.resolve("model.safetensors"));
    return config;
  }
}

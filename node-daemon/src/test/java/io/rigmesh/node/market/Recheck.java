package io.rigmesh.node.market;

import com.fasterxml.jackson.databind.JsonNode;
import io.rigmesh.protocol.ProtocolJson;
import io.rigmesh.protocol.ReceiptFile;
import io.rigmesh.worker.device.Devices;
import io.rigmesh.worker.task.ModelShelf;
import io.rigmesh.worker.verify.Materials;
import io.rigmesh.worker.verify.Samples;
import io.rigmesh.worker.verify.Verdict;
import io.rigmesh.worker.verify.Verifier;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/// Recomputes what a node has of a job, as `rigmesh verify` does: from the receipt and the files
/// that it names, which the node hands out.
final class Recheck {
  private static final int SAMPLES = 12;

  private Recheck() {}

  /// @param folder an empty one
  static Verdict verdict(NodeProcess node, String id, Path folder) throws IOException {
    ReceiptFile file = ProtocolJson.readReceiptFile(node.bytes("/v1/jobs/" + id + "/receipt"));
    Path input = folder.resolve("input");
    Files.write(input, node.bytes("/v1/blobs/" + file.job().job().input().hex()));
    Path model = folder.resolve("model");
    lay(node, node.get("/v1/folders/" + file.job().job().model().hex()), model);
    Path output = folder.resolve("output");
    lay(node, node.get("/v1/jobs/" + id + "/artifacts"), output);
    try (var kernels = Devices.open("cpu", 1);
        ModelShelf shelf = ModelShelf.onCpu(kernels)) {
      return new Verifier(kernels, shelf)
          .verify(
              file,
              new Materials(Optional.of(model), input, output),
              new Samples.Some(SAMPLES, 1),
              _ -> {});
    }
  }

  private static void lay(NodeProcess node, JsonNode manifest, Path folder) throws IOException {
    for (JsonNode file : manifest.get("files")) {
      Path path = folder.resolve(file.get("path").asText());
      Files.createDirectories(path.getParent());
      Files.write(path, node.bytes("/v1/blobs/" + file.get("root").asText()));
    }
  }
}

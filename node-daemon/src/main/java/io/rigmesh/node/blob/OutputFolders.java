package io.rigmesh.node.blob;

import io.rigmesh.protocol.FolderManifest;
import io.rigmesh.protocol.Hash;
import java.util.List;
import java.util.Optional;

/// What is inside a job's output.
public final class OutputFolders {
  private static final String MODEL = "model/";

  private OutputFolders() {}

  /// The manifest of the folder `model` in an output, if it has one: what later jobs name.
  public static Optional<FolderManifest> model(FolderManifest output) {
    List<FolderManifest.File> files =
        output.files().stream()
            .filter(f -> f.path().startsWith(MODEL))
            .map(f ->
                new FolderManifest.File(
                    f.path().substring(MODEL.length()), f.sizeBytes(), f.root()))
            .toList();
    return files.isEmpty() ? Optional.empty() : Optional.of(new FolderManifest(files));
  }

  /// Keeps the manifest of an output's model.
  ///
  /// @return its root, if there is one
  public static Optional<Hash> keepModel(FolderManifest output, Blobs blobs) {
    Optional<FolderManifest> model = model(output);
    model.ifPresent(blobs::putFolder);
    return model.map(FolderManifest::root);
  }
}

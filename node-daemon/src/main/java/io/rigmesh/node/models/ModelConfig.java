package io.rigmesh.node.models;

import io.rigmesh.node.blob.Blobs;
import io.rigmesh.protocol.FolderManifest;
import io.rigmesh.protocol.MalformedException;
import io.rigmesh.worker.format.JsonField;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Optional;

/// The config.json of a model's folder.
public final class ModelConfig {
  /// The most bytes that it has.
  public static final int BYTES_MAX = 1 << 20;

  private ModelConfig() {}

  /// The file of a folder.
  ///
  /// @throws MalformedException if the folder has none, or it is too long
  public static FolderManifest.File file(FolderManifest manifest) {
    FolderManifest.File config =
        manifest.files().stream()
            .filter(f -> f.path().equals("config.json"))
            .findFirst()
            .orElseThrow(() -> new MalformedException("the model's folder has no config.json"));
    if (config.sizeBytes() > BYTES_MAX) {
      throw new MalformedException("the model's config.json has at most " + BYTES_MAX + " bytes");
    }
    return config;
  }

  /// Its content, or empty if it is not here.
  ///
  /// @throws MalformedException if the folder has none, or it is too long
  /// @throws io.rigmesh.worker.format.ModelFormatException if it is no JSON
  static Optional<JsonField> read(FolderManifest manifest, Blobs blobs) {
    FolderManifest.File config = file(manifest);
    if (!blobs.has(config.root())) {
      return Optional.empty();
    }
    try (InputStream in = blobs.open(config.root())) {
      return Optional.of(JsonField.parse("config.json", in.readAllBytes()));
    } catch (IOException e) {
      throw new UncheckedIOException("the model's config.json cannot be read", e);
    }
  }
}

package io.rigmesh.node.jobs;

import io.rigmesh.node.blob.Blobs;
import io.rigmesh.protocol.FolderManifest;
import java.io.InputStream;
import java.util.Optional;

/// The files that a job made.
///
/// @param manifest the output folder's files by content
/// @param blobs where their bytes are
public record Artifacts(FolderManifest manifest, Blobs blobs) {
  /// The file at a path of the manifest.
  public Optional<FolderManifest.File> file(String path) {
    return manifest.files().stream().filter(f -> f.path().equals(path)).findFirst();
  }

  /// Opens the file at a path of the manifest, if there is one. The caller closes it.
  public Optional<InputStream> open(String path) {
    return file(path).map(f -> blobs.open(f.root()));
  }
}

package io.rigmesh.node.requester;

import io.rigmesh.node.blob.Blobs;
import io.rigmesh.node.blob.OutputFolders;
import io.rigmesh.protocol.FolderManifest;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Job;
import java.util.Optional;

/// Moves files between this node and a provider, only those that are not there yet.
final class Uploads {
  private final Blobs blobs;

  Uploads(Blobs blobs) {
    this.blobs = blobs;
  }

  /// Hands over a job's input, and its model if it is here.
  void send(Job job, ProviderClient provider) {
    if (!provider.has(job.input())) {
      provider.put(job.input(), blobs);
    }
    if (!job.model().isZero()) {
      Optional<FolderManifest> model = blobs.folder(job.model());
      if (model.isPresent()) {
        for (Hash missing : provider.putFolder(model.get())) {
          provider.put(missing, blobs);
        }
      }
    }
  }

  /// Fetches a job's output, and its model where an audit would lack it.
  ///
  /// @return the root of the trained model's folder, if the output has one
  Optional<Hash> receive(Job job, Hash output, ProviderClient provider, boolean withModel) {
    FolderManifest manifest =
        blobs
            .folder(output)
            .or(() -> provider.artifacts(job.id(), output))
            .orElseThrow(() ->
                new ProviderFaultException(
                    "the provider does not have the output that its receipt names"));
    fetch(manifest, provider);
    if (withModel && !job.model().isZero() && blobs.folder(job.model()).isEmpty()) {
      fetch(
          provider
              .folder(job.model())
              .orElseThrow(() ->
                  new ProviderFaultException("the provider does not have the model that it ran")),
          provider);
    }
    return OutputFolders.keepModel(manifest, blobs);
  }

  private void fetch(FolderManifest manifest, ProviderClient provider) {
    for (FolderManifest.File file : manifest.files()) {
      if (!blobs.has(file.root())) {
        provider.fetch(file.root(), file.sizeBytes(), blobs);
      }
    }
    blobs.putFolder(manifest);
  }
}

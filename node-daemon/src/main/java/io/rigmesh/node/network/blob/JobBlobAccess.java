package io.rigmesh.node.network.blob;

import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.node.blob.Blobs;
import io.rigmesh.node.blob.OutputFolders;
import io.rigmesh.node.jobs.JobRole;
import io.rigmesh.node.models.ModelConfig;
import io.rigmesh.node.models.OfferedModels;
import io.rigmesh.node.requester.Probes;
import io.rigmesh.node.store.JobRow;
import io.rigmesh.node.store.JobStore;
import io.rigmesh.node.store.MilestoneStore;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.FolderManifest;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.JobPass;
import io.rigmesh.protocol.MalformedException;
import io.rigmesh.protocol.Signature;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// What this node hands out: models that it offers to everyone; a job's input and model to the
/// provider that was chosen for it; a job's output and model to its requester.
public final class JobBlobAccess implements BlobAccess {
  private static final int REMEMBERED_MAX = 4_096;

  private final JobStore store;
  private final MilestoneStore milestones;
  private final Blobs blobs;
  private final OfferedModels models;
  private final Probes probes;
  private final Domain domain;
  // Grants never end: what a job names does not change, nor who computes it.
  private final Map<Grant, Boolean> granted =
      new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Grant, Boolean> eldest) {
          return size() > REMEMBERED_MAX;
        }
      };

  private record Grant(PeerId peer, Hash root, Hash job, Optional<Signature> pass) {}

  /// The rules of a node.
  public JobBlobAccess(
      JobStore store,
      MilestoneStore milestones,
      Blobs blobs,
      OfferedModels models,
      Probes probes,
      Domain domain) {
    this.store = store;
    this.milestones = milestones;
    this.blobs = blobs;
    this.models = models;
    this.probes = probes;
    this.domain = domain;
  }

  @Override
  public boolean mayRead(PeerId peer, Hash root, Optional<Hash> job, Optional<Signature> pass) {
    if (models.includes(root)) {
      return true;
    }
    if (job.isEmpty()) {
      return false;
    }
    Grant grant = new Grant(peer, root, job.get(), pass);
    synchronized (granted) {
      if (granted.containsKey(grant)) {
        return true;
      }
    }
    Optional<JobRow> row = store.find(job.get());
    if (row.isEmpty()) {
      return false;
    }
    boolean ours = row.get().role() == JobRole.REQUESTER;
    boolean chosen = ours && row.get().providerPeer().equals(Optional.of(peer));
    boolean lasting =
        ours
            ? chosen && (root.equals(row.get().job().input()) || isModel(row.get(), root))
            : isPass(row.get(), peer, pass)
                && (isOutput(row.get(), root) || isModel(row.get(), root));
    if (lasting) {
      synchronized (granted) {
        granted.put(grant, true);
      }
      return true;
    }
    return ours && probes.isAsked(job.get(), peer) && isModelsShape(row.get(), root);
  }

  private boolean isPass(JobRow row, PeerId peer, Optional<Signature> pass) {
    return pass.isPresent()
        && new JobPass(row.id(), peer.toString())
            .isSignedBy(row.job().requester(), pass.get(), domain);
  }

  private boolean isModel(JobRow row, Hash root) {
    return !row.job().model().isZero() && isFolder(row.job().model(), root);
  }

  private boolean isOutput(JobRow row, Hash root) {
    boolean isResult =
        row.completion().map(completion -> isOutput(completion.output(), root)).orElse(false);
    return isResult
        || milestones.of(row.id()).stream()
            .anyMatch(milestone -> isOutput(milestone.output(), root));
  }

  private boolean isOutput(Hash output, Hash root) {
    return isFolder(output, root)
        || blobs
            .manifest(output)
            .flatMap(OutputFolders::model)
            .map(model -> model.root().equals(root))
            .orElse(false);
  }

  private boolean isFolder(Hash folder, Hash root) {
    return folder.equals(root)
        || blobs
            .manifest(folder)
            .map(m -> m.files().stream().anyMatch(f -> f.root().equals(root)))
            .orElse(false);
  }

  /// The manifest of the model and the file that says how large it is.
  private boolean isModelsShape(JobRow row, Hash root) {
    Hash model = row.job().model();
    if (model.isZero()) {
      return false;
    }
    if (model.equals(root)) {
      return true;
    }
    Optional<FolderManifest> manifest = blobs.manifest(model);
    try {
      return manifest.isPresent() && ModelConfig.file(manifest.get()).root().equals(root);
    } catch (MalformedException e) {
      // A folder without a config.json has no such file.
      return false;
    }
  }
}

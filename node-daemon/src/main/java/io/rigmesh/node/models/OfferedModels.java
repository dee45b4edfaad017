package io.rigmesh.node.models;

import io.rigmesh.node.blob.Blobs;
import io.rigmesh.node.store.JobStore;
import io.rigmesh.protocol.FolderManifest;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.JobKind;
import io.rigmesh.protocol.MalformedException;
import io.rigmesh.worker.format.JsonField;
import io.rigmesh.worker.format.ModelFormatException;
import io.rigmesh.worker.task.ModelUses;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The models that somebody put here by hand, which this node offers to all. Models that jobs
/// brought or made are their requesters' and are not among them. Safe for use by several threads.
public final class OfferedModels {
  private static final Logger LOG = LoggerFactory.getLogger(OfferedModels.class);
  private static final int NAME_CHARS_MAX = 60;

  private final JobStore store;
  private final Blobs blobs;
  private final boolean offered;
  private final Map<Hash, Optional<OfferedModel>> read = new ConcurrentHashMap<>();
  private volatile Set<Hash> open = Set.of();

  /// The models of a node.
  ///
  /// @param offered false to offer none
  public OfferedModels(JobStore store, Blobs blobs, boolean offered) {
    this.store = store;
    this.blobs = blobs;
    this.offered = offered;
  }

  /// A model and what it is for.
  ///
  /// @param root the root of its folder
  /// @param name in words
  /// @param kinds what can be done with it
  public record OfferedModel(Hash root, String name, List<JobKind> kinds) {
    /// Copies the list.
    public OfferedModel {
      kinds = List.copyOf(kinds);
    }
  }

  /// Remembers a folder that somebody put here, if it is a model's.
  public void remember(FolderManifest manifest) {
    boolean model =
        manifest.files().stream().anyMatch(f -> f.path().equals("config.json"))
            && manifest.files().stream().anyMatch(f -> f.path().endsWith(".safetensors"));
    if (model && store.keepModel(manifest.root())) {
      LOG.info("the model {} was put here", manifest.root());
    }
  }

  /// The models whose files are all here.
  public List<OfferedModel> list() {
    if (!offered) {
      return List.of();
    }
    List<OfferedModel> models = new ArrayList<>();
    Set<Hash> roots = new HashSet<>();
    for (Hash root : store.keptModels()) {
      blobs
          .folder(root)
          .ifPresent(manifest ->
              read.computeIfAbsent(root, _ -> read(manifest))
                  .ifPresent(model -> {
                    models.add(model);
                    roots.add(root);
                    manifest.files().forEach(file -> roots.add(file.root()));
                  }));
    }
    open = Set.copyOf(roots);
    return List.copyOf(models);
  }

  /// Whether a blob is a manifest or file of an offered model, as of the last [#list].
  public boolean includes(Hash root) {
    return open.contains(root);
  }

  private Optional<OfferedModel> read(FolderManifest manifest) {
    try {
      JsonField config = ModelConfig.read(manifest, blobs).orElseThrow();
      List<JobKind> kinds =
          ModelUses.of(config, manifest.files().stream().map(FolderManifest.File::path).toList());
      if (kinds.isEmpty()) {
        LOG.warn(
            "the model {} is not offered: it has no head to generate with, and its folder does not"
                + " say how it embeds",
            manifest.root());
        return Optional.empty();
      }
      return Optional.of(new OfferedModel(manifest.root(), name(config), kinds));
    } catch (MalformedException e) {
      LOG.warn("the model {} is not offered: {}", manifest.root(), e.sentence());
      return Optional.empty();
    } catch (ModelFormatException e) {
      LOG.warn("the model {} is not offered: {}", manifest.root(), e.getMessage());
      return Optional.empty();
    }
  }

  /// What the model calls itself, or else its family.
  private static String name(JsonField config) {
    String name =
        Stream.of("_name_or_path", "model_type")
            .flatMap(field -> config.find(field).filter(JsonField::isText).stream())
            .map(JsonField::text)
            .filter(text -> !text.isBlank())
            .findFirst()
            .orElse("");
    return name.substring(0, Math.min(name.length(), NAME_CHARS_MAX));
  }
}

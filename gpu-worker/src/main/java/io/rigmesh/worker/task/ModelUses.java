package io.rigmesh.worker.task;

import io.rigmesh.protocol.JobKind;
import io.rigmesh.worker.bert.BertConfig;
import io.rigmesh.worker.embed.EmbeddingConfig;
import io.rigmesh.worker.format.JsonField;
import io.rigmesh.worker.llama.LlamaConfig;
import io.rigmesh.worker.llama.LlamaConfigJson;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/// What this engine can do with a model, told by its `config.json` and the names of its files
/// alone, without opening its weights.
public final class ModelUses {
  private ModelUses() {}

  /// The kinds of jobs that this engine runs with a model: a BERT embeds; a decoder generates if it
  /// has a language model head, is trained if it is a plain Llama on top
  /// ([LlamaConfig#beyondPlainLlama]), and embeds if its folder says how.
  ///
  /// @param config the root of its config.json
  /// @param paths the files of its folder, relative, with slashes
  /// @throws io.rigmesh.worker.format.ModelFormatException naming the field, if this engine runs no
  ///   such model
  public static List<JobKind> of(JsonField config, Collection<String> paths) {
    if (BertConfig.isBert(config)) {
      BertConfig.read(config);
      return List.of(JobKind.EMBED);
    }
    LlamaConfig decoder = LlamaConfigJson.read(config);
    List<JobKind> kinds = new ArrayList<>();
    if (LlamaConfigJson.hasHead(config)) {
      kinds.add(JobKind.GENERATE);
      if (decoder.beyondPlainLlama().isEmpty()) {
        kinds.add(JobKind.TRAIN);
      }
    }
    if (EmbeddingConfig.isIn(paths)) {
      kinds.add(JobKind.EMBED);
    }
    return List.copyOf(kinds);
  }
}

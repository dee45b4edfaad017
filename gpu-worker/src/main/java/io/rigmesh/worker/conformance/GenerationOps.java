package io.rigmesh.worker.conformance;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rigmesh.worker.embed.Pool;
import io.rigmesh.worker.embed.Pooling;
import io.rigmesh.worker.generate.Logprobs;
import io.rigmesh.worker.generate.Ranking;
import io.rigmesh.worker.generate.Sampler;
import io.rigmesh.worker.generate.SamplingParameters;
import io.rigmesh.worker.generate.TokenHistory;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.RopeTable;
import io.rigmesh.worker.llama.LlamaConfigJson;
import io.rigmesh.worker.tensor.Tensor;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// How the operations around a model's layers are run: the choice of tokens, the logarithms of
/// their probabilities, pooling, the global norm, and tables of rotary positions.
final class GenerationOps {
  private static final int BIAS_LIMIT = 4001;
  private static final int BIAS_MIDDLE = 2000;
  private static final ObjectMapper JSON = new ObjectMapper();

  private GenerationOps() {}

  /// What tokens are chosen by, drawn behind the logits.
  ///
  /// @param logits a row for every token that is chosen, `(rows, cols)`
  /// @param firstPosition the position of the first row's token; each row's is one more
  record Draws(
      Tensor logits, SamplingParameters parameters, TokenHistory history, int firstPosition) {

    static Draws of(OpVector v, ConformanceInputs in) {
      int cols = v.size("cols");
      Tensor logits = in.matrix(v.size("rows"), cols);
      TokenHistory history = TokenHistory.of(in.integers(v.size("prompt"), cols));
      for (int token : in.integers(v.size("generated"), cols)) {
        history.add(token);
      }
      int[] biased = in.integers(v.size("biases"), cols);
      int[] biases = in.integers(v.size("biases"), BIAS_LIMIT);
      TreeMap<Integer, Float> bias = new TreeMap<>();
      for (int i = 0; i < biased.length; i++) {
        bias.put(biased[i], (biases[i] - BIAS_MIDDLE) / 1000f);
      }
      SamplingParameters parameters =
          new SamplingParameters(
              thousandths(v, "temperature"),
              v.size("topK"),
              thousandths(v, "topP"),
              thousandths(v, "minP"),
              new SamplingParameters.Penalties(
                  thousandths(v, "repetition"),
                  thousandths(v, "presence"),
                  thousandths(v, "frequency")),
              bias,
              v.seed());
      return new Draws(logits, parameters, history, v.size("position"));
    }
  }

  static void addTo(Map<String, OpCatalogue.Run> runs) {
    runs.put("sample", GenerationOps::sample);
    runs.put("topK", GenerationOps::topK);
    runs.put("logprob", GenerationOps::logprob);
    runs.put("globalNorm", GenerationOps::globalNorm);
    runs.put("poolMean", (k, v, in) -> pool(k, v, in, Pooling.MEAN));
    runs.put("poolFirst", (k, v, in) -> pool(k, v, in, Pooling.CLS));
    runs.put("poolLast", (k, v, in) -> pool(k, v, in, Pooling.LAST_TOKEN));
    runs.put("ropeTable", (k, v, in) -> ropeTable(v, Optional.empty()));
    for (String kind : List.of("Linear", "Llama3", "Yarn")) {
      runs.put("ropeTable" + kind, (k, v, in) -> ropeTable(v, Optional.of(kind)));
    }
  }

  private static float thousandths(OpVector v, String name) {
    return v.size(name) / 1000f;
  }

  private static Tensor x(OpVector v, ConformanceInputs in) {
    return in.matrix(v.size("rows"), v.size("cols"));
  }

  private static OpResults sample(Kernels k, OpVector v, ConformanceInputs in) {
    Draws draws = Draws.of(v, in);
    Sampler sampler = new Sampler(k, draws.logits().cols());
    int[] tokens = new int[draws.logits().rowCount()];
    for (int row = 0; row < tokens.length; row++) {
      tokens[row] =
          sampler.token(
              draws.logits().rows(row, row + 1),
              draws.parameters(),
              draws.history(),
              draws.firstPosition() + row);
    }
    return new OpResults().add(tokens);
  }

  private static OpResults topK(Kernels k, OpVector v, ConformanceInputs in) {
    Tensor logits = x(v, in);
    OpResults results = new OpResults();
    for (int row = 0; row < logits.rowCount(); row++) {
      results.add(Ranking.best(logits.rows(row, row + 1), v.size("count")));
    }
    return results;
  }

  private static OpResults logprob(Kernels k, OpVector v, ConformanceInputs in) {
    Tensor logits = x(v, in);
    int[] chosen = in.integers(logits.rowCount(), logits.cols());
    OpResults results = new OpResults();
    for (int row = 0; row < chosen.length; row++) {
      results.add(Logprobs.of(k, logits.rows(row, row + 1), chosen[row], 0).chosen());
    }
    return results;
  }

  private static OpResults globalNorm(Kernels k, OpVector v, ConformanceInputs in) {
    Tensor first = x(v, in);
    Tensor second = in.vector(v.size("cols"));
    Tensor third = x(v, in);
    float norm = k.gradientNorm(List.of(first, second, third));
    return new OpResults().add(norm).add(Kernels.clipScale(norm, 1f));
  }

  /// In two pieces, as the tokens of a long text come.
  private static OpResults pool(Kernels k, OpVector v, ConformanceInputs in, Pooling pooling) {
    Tensor x = x(v, in);
    Pool pool = new Pool(k, pooling, v.size("normalised") == 1);
    int half = x.rowCount() / 2;
    if (half > 0) {
      pool.add(x.rows(0, half));
    }
    pool.add(x.rows(half, x.rowCount()));
    float[] vector = pool.vector();
    Tensor result = Tensor.of(vector, vector.length);
    k.checkFinite("embedding", result);
    return new OpResults().add(result);
  }

  /// The table of a model whose config.json has the sizes for fields.
  private static OpResults ropeTable(OpVector v, Optional<String> kind) {
    ObjectNode config = JSON.createObjectNode();
    config.put("model_type", "llama");
    for (String one :
        List.of("vocab_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")) {
      config.put(one, 1);
    }
    config.put("hidden_size", v.size("headDim"));
    config.put("head_dim", v.size("headDim"));
    config.put("max_position_embeddings", v.size("max_position_embeddings"));
    config.put("rope_theta", v.size("theta"));
    if (kind.isPresent()) {
      ObjectNode scaling = config.putObject("rope_scaling");
      scaling.put("rope_type", kind.get().toLowerCase(Locale.ROOT));
      v.sizes()
          .forEach((name, size) -> {
            switch (name) {
              case "original_max_position_embeddings" -> scaling.put(name, size);
              case "truncate" -> scaling.put(name, size == 1);
              case "headDim", "positions", "theta", "max_position_embeddings" -> {}
              default -> scaling.put(name, size / 1000.0);
            }
          });
    }
    RopeTable table =
        LlamaConfigJson.read(StepVectors.configJson("a rotary table", config.toString()))
            .ropeTable(v.size("positions"));
    return new OpResults().add(table.cos()).add(table.sin());
  }
}

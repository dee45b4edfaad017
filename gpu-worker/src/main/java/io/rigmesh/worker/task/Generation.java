package io.rigmesh.worker.task;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rigmesh.protocol.CommitmentChain;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.Task;
import io.rigmesh.worker.generate.GeneratedToken;
import io.rigmesh.worker.generate.GenerationRequest;
import io.rigmesh.worker.generate.Generator;
import io.rigmesh.worker.generate.SamplingParameters;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.llama.LlamaConfig;
import io.rigmesh.worker.llama.LlamaDecoder;
import io.rigmesh.worker.llama.LlamaWeights;
import io.rigmesh.worker.tokenizer.IncrementalDecoder;
import io.rigmesh.worker.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/// A model, its tokenizer and a prompt, ready to generate or to recompute. Serves one thread at a
/// time; close it when done.
public final class Generation implements AutoCloseable {
  /// The name of the file that the output folder holds.
  public static final String OUTPUT = "output.json";

  private static final int CHUNK_ROWS = 256;
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Tokenizer tokenizer;
  private final LlamaConfig config;
  private final Generator generator;
  private final GenerationRequest request;
  private final int positionsMax;

  private Generation(
      Tokenizer tokenizer,
      LlamaConfig config,
      Generator generator,
      GenerationRequest request,
      int positionsMax) {
    this.tokenizer = tokenizer;
    this.config = config;
    this.generator = generator;
    this.request = request;
    this.positionsMax = positionsMax;
  }

  /// Reads a model and a prompt. The prompt's tokens are what `tokenizer.json` makes of it,
  /// template included; where that is nothing, the config's begin token alone. Tokens that the
  /// config calls ends of text end the generation.
  ///
  /// @throws io.rigmesh.worker.format.ModelFormatException if a file of the model is malformed
  /// @throws InvalidJobException if the prompt does not fit the model, or a setting is out of range
  public static Generation open(
      Kernels kernels, Path folder, String prompt, Task.Generate task, long seed) {
    try (LlamaWeights weights = LlamaWeights.open(folder)) {
      return open(kernels, folder, weights, prompt, task, seed);
    }
  }

  private static Generation open(
      Kernels kernels,
      Path folder,
      LlamaWeights weights,
      String prompt,
      Task.Generate task,
      long seed) {
    LlamaConfig config = weights.config();
    Tokenizer tokenizer = LanguageModelFolder.tokenizer(folder, config);
    boolean complete = false;
    try {
      List<Integer> tokens = promptTokens(tokenizer, config, prompt);
      if (tokens.size() >= config.positionsMax()) {
        throw new InvalidJobException(
            "The prompt has %d tokens, but this model has %d positions, and an answer needs one; shorten it."
                .formatted(tokens.size(), config.positionsMax()));
      }
      GenerationRequest request =
          new GenerationRequest(
              tokens,
              new SamplingParameters(task.temperature(), task.topK(), task.topP(), seed),
              task.maxTokens(),
              Set.copyOf(config.endTokenIds()));
      int positionsMax =
          (int) Math.min((long) tokens.size() + task.maxTokens(), config.positionsMax());
      LlamaDecoder decoder = new LlamaDecoder(kernels, weights, positionsMax, CHUNK_ROWS);
      complete = true;
      return new Generation(
          tokenizer, config, new Generator(kernels, decoder), request, positionsMax);
    } catch (IllegalArgumentException e) {
      throw new InvalidJobException(String.valueOf(e.getMessage()), e);
    } finally {
      if (!complete) {
        tokenizer.close();
      }
    }
  }

  /// What generates and replays.
  public Generator generator() {
    return generator;
  }

  /// What is to be generated.
  public GenerationRequest request() {
    return request;
  }

  /// The model's sizes.
  public LlamaConfig config() {
    return config;
  }

  /// Whether the generation ends with a token, which is what the [Generator] will say after it.
  public boolean isLast(GeneratedToken token) {
    return request.stopTokens().contains(token.tokenId())
        || token.index() + 1 >= request.tokensMax()
        || token.position() + 1 >= positionsMax;
  }

  /// A decoder of the generated tokens, which leaves out special ones.
  public IncrementalDecoder incrementalDecoder() {
    return new IncrementalDecoder(tokenizer, true);
  }

  /// The text of generated tokens.
  public String text(List<Integer> tokens) {
    StringBuilder text = new StringBuilder();
    IncrementalDecoder decoder = incrementalDecoder();
    tokens.forEach(token -> text.append(decoder.append(token)));
    return text.append(decoder.finish()).toString();
  }

  /// The chain of a generation before its first token.
  public static CommitmentChain start(Job job, List<Integer> promptTokens) {
    int[] prompt = promptTokens.stream().mapToInt(Integer::intValue).toArray();
    return CommitmentChain.start(
        job.id(), job.model(), job.profile(), CommitmentChain.tokenDigest(List.of(prompt)));
  }

  /// The bytes of `output.json`: an object with the text and the tokens, on one line.
  public static byte[] outputJson(String text, List<Integer> tokens) {
    ObjectNode root = JSON.createObjectNode().put("text", text);
    tokens.forEach(root.putArray("tokens")::add);
    try {
      return (JSON.writeValueAsString(root) + "\n").getBytes(StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException("a tree of texts and numbers is always JSON", e);
    }
  }

  @Override
  public void close() {
    tokenizer.close();
  }

  private static List<Integer> promptTokens(
      Tokenizer tokenizer, LlamaConfig config, String prompt) {
    int[] tokens = tokenizer.encode(prompt, true);
    if (tokens.length > 0) {
      return Arrays.stream(tokens).boxed().toList();
    }
    return List.of(
        config
            .beginTokenId()
            .orElseThrow(() ->
                new InvalidJobException(
                    "The prompt has no token, and this model has no token to begin with; give it a word.")));
  }
}

package io.rigmesh.worker.task;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rigmesh.protocol.CommitmentChain;
import io.rigmesh.protocol.GenerateOptions;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.Task;
import io.rigmesh.worker.generate.Ending;
import io.rigmesh.worker.generate.FinishReason;
import io.rigmesh.worker.generate.GeneratedToken;
import io.rigmesh.worker.generate.GenerationRequest;
import io.rigmesh.worker.generate.SamplingParameters;
import io.rigmesh.worker.llama.LlamaConfig;
import io.rigmesh.worker.serve.SequenceRequest;
import io.rigmesh.worker.serve.TokenStream;
import io.rigmesh.worker.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/// A prompt and the settings of a generation job, made ready for a model: to be generated, or to be
/// recomputed.
public final class Generation {
  /// The name of the file that the output folder holds.
  public static final String OUTPUT = "output.json";

  private static final ObjectMapper JSON = new ObjectMapper();

  private final LanguageModel model;
  private final GenerateOptions options;
  private final GenerationRequest request;

  private Generation(LanguageModel model, GenerateOptions options, GenerationRequest request) {
    this.model = model;
    this.options = options;
    this.request = request;
  }

  /// Makes a prompt ready. Its tokens are what `tokenizer.json` makes of it, template included;
  /// where that is nothing, the config's begin token alone. Of a chat they are what it makes of the
  /// text that the model's chat template gives, which has its special tokens written out. Tokens
  /// that the folder calls ends of text end the generation.
  ///
  /// @throws InvalidJobException if the prompt does not fit the model, or a setting is out of range
  public static Generation of(LanguageModel model, String input, Task.Generate task, long seed) {
    LlamaConfig config = model.config();
    GenerateOptions options = task.options();
    try {
      List<Integer> tokens = promptTokens(model, input, options.chat());
      long tokensMax = task.promptTokensMax(input.getBytes(StandardCharsets.UTF_8).length);
      if (tokens.size() > tokensMax) {
        throw new InvalidJobException(
            "The prompt has %d tokens, but a job with such an input pays for at most %d: the model's %s adds too much of its own."
                .formatted(
                    tokens.size(), tokensMax, options.chat() ? "chat template" : "tokenizer"));
      }
      if (tokens.size() >= config.positionsMax()) {
        throw new InvalidJobException(
            "The prompt has %d tokens, but this model has %d positions, and an answer needs one; shorten it."
                .formatted(tokens.size(), config.positionsMax()));
      }
      SamplingParameters sampling =
          new SamplingParameters(
              task.temperature(),
              task.topK(),
              task.topP(),
              options.minP(),
              new SamplingParameters.Penalties(
                  options.repetitionPenalty(),
                  options.presencePenalty(),
                  options.frequencyPenalty()),
              options.logitBias(),
              seed);
      return new Generation(
          model,
          options,
          new GenerationRequest(tokens, sampling, task.maxTokens(), model.endTokens()));
    } catch (IllegalArgumentException e) {
      throw new InvalidJobException(String.valueOf(e.getMessage()), e);
    }
  }

  private static List<Integer> promptTokens(LanguageModel model, String input, boolean chat) {
    Tokenizer tokenizer = model.tokenizer();
    int[] tokens =
        chat
            ? tokenizer.encode(ChatPrompt.render(model, input), false)
            : tokenizer.encode(input, true);
    if (tokens.length > 0) {
      return Arrays.stream(tokens).boxed().toList();
    }
    return List.of(
        model
            .config()
            .beginTokenId()
            .orElseThrow(() ->
                new InvalidJobException(
                    "The prompt has no token, and this model has no token to begin with; give it a"
                        + " word.")));
  }

  /// What is to be generated, but for stop texts.
  public GenerationRequest request() {
    return request;
  }

  /// The model's sizes.
  public LlamaConfig config() {
    return model.config();
  }

  /// Starts generating, or recomputing.
  ///
  /// @param known tokens of an earlier run, or of a claim
  /// @param scope whose equal beginnings are computed once
  public TokenStream start(int[] known, SequenceRequest.Mode mode, Hash scope) {
    return start(known, mode, scope, SequenceRequest.UNLIMITED);
  }

  /// Starts as [#start(int[], SequenceRequest.Mode, Hash)] does.
  ///
  /// @param allowed how many tokens may come before the stream is allowed more
  public TokenStream start(int[] known, SequenceRequest.Mode mode, Hash scope, long allowed) {
    return model
        .engine()
        .submit(
            new SequenceRequest(
                request,
                known,
                mode,
                options.logprobs().orElse(-1),
                scope,
                OptionalLong.empty(),
                allowed));
  }

  /// The text that will grow with the tokens.
  public GenerationText text() {
    return new GenerationText(model.tokenizer(), options.stop());
  }

  /// What one token alone looks like.
  public String tokenText(int tokenId) {
    return model.tokenizer().decode(new int[] {tokenId}, false);
  }

  /// Whether the logarithms of probabilities are wanted.
  public boolean tellsLogprobs() {
    return options.logprobs().isPresent();
  }

  /// Why the generation ends with a token, if it does. A stop text goes before the other reasons.
  ///
  /// @param text which has taken the token
  public Optional<FinishReason> reasonToStop(GeneratedToken token, GenerationText text) {
    return text.stopped()
        ? Optional.of(FinishReason.STOP_STRING)
        : request.reasonToStop(token.index() + 1, token.tokenId(), model.config().positionsMax());
  }

  /// Where a generation of these tokens has to end, or empty if it has to go on after all of them.
  /// A stop text goes before the other reasons.
  public Optional<Ending> ending(List<Integer> tokens) {
    GenerationText text = text();
    for (int count = 1; count <= tokens.size(); count++) {
      int token = tokens.get(count - 1);
      text.append(token);
      if (text.stopped()) {
        return Optional.of(new Ending(count, FinishReason.STOP_STRING));
      }
      Optional<FinishReason> reason =
          request.reasonToStop(count, token, model.config().positionsMax());
      if (reason.isPresent()) {
        return Optional.of(new Ending(count, reason.get()));
      }
    }
    return Optional.empty();
  }

  /// The text of generated tokens.
  public String text(List<Integer> tokens) {
    StringBuilder whole = new StringBuilder();
    GenerationText text = text();
    tokens.forEach(token -> whole.append(text.append(token)));
    return whole.append(text.finish()).toString();
  }

  /// The chain of a generation before its first token.
  public static CommitmentChain start(Job job, List<Integer> promptTokens) {
    int[] prompt = promptTokens.stream().mapToInt(Integer::intValue).toArray();
    return CommitmentChain.start(
        job.id(), job.model(), job.profile(), CommitmentChain.tokenDigest(List.of(prompt)));
  }

  /// The bytes of `output.json`: an object with the text, the reason why it ended and the tokens,
  /// on one line.
  public static byte[] outputJson(String text, FinishReason reason, List<Integer> tokens) {
    ObjectNode root = JSON.createObjectNode().put("text", text).put("finish", finishName(reason));
    tokens.forEach(root.putArray("tokens")::add);
    try {
      return (JSON.writeValueAsString(root) + "\n").getBytes(StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException("a tree of texts and numbers is always JSON", e);
    }
  }

  /// How `output.json` calls a reason.
  static String finishName(FinishReason reason) {
    return switch (reason) {
      case STOP_TOKEN -> "stop-token";
      case STOP_STRING -> "stop-text";
      case TOKENS_MAX -> "max-tokens";
      case CONTEXT_FULL -> "context-full";
      case CANCELLED -> "cancelled";
      case CLAIM_ENDED, DEADLINE ->
          throw new IllegalArgumentException("no finished generation ends by " + reason);
    };
  }
}

package io.rigmesh.worker.generate;

import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.llama.KeyValueCache;
import io.rigmesh.worker.llama.LlamaDecoder;
import io.rigmesh.worker.tensor.Tensor;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/// Generates tokens with a key-value cache, and replays what somebody else generated.
///
/// The token at a position depends on the model, the request and the tokens before it alone: not on
/// how the prompt is chunked, on the kernels, or on whether this process or another made the tokens
/// before it. So an interrupted stream is continued with the same bits, and [#replay] checks a
/// whole stream with one prefill pass. Serves one thread at a time.
public final class Generator {
  /// How many rows of logits a replay holds at once; it bounds memory and changes no bit.
  private static final int REPLAY_ROWS = 32;

  private final Kernels kernels;
  private final LlamaDecoder decoder;

  /// @param kernels the ones the decoder was made with
  public Generator(Kernels kernels, LlamaDecoder decoder) {
    this.kernels = kernels;
    this.decoder = decoder;
  }

  /// Generates from the start; see [#resume].
  public Ending generate(
      GenerationRequest request, Consumer<GeneratedToken> sink, BooleanSupplier cancelled) {
    return resume(request, new int[0], sink, cancelled);
  }

  /// Continues a generation of which the first tokens are known, and hands over those that follow
  /// as they come.
  ///
  /// @param known the tokens generated before, as this or another process handed them over
  /// @param sink called with every new token, on this thread; what it throws ends the generation
  /// @param cancelled asked before every chunk of the prompt and every token
  /// @return where the whole generation ends, known tokens counted
  /// @throws IllegalArgumentException when the prompt and one token do not fit the model, or a
  ///   token is not in its vocabulary
  public Ending resume(
      GenerationRequest request,
      int[] known,
      Consumer<GeneratedToken> sink,
      BooleanSupplier cancelled) {
    Optional<Ending> ending = ending(request, known);
    if (ending.isPresent()) {
      return ending.get();
    }
    int promptLength = request.prompt().size();
    KeyValueCache cache = decoder.cache(positionsNeeded(request));
    Sampler sampler = sampler(request);
    Tensor logits = Tensor.zeros(1, decoder.config().vocabularySize());
    int[] unread = concatenated(request.promptTokens(), known, known.length);
    for (int index = known.length; ; index++) {
      Optional<Tensor> hidden = read(cache, unread, cancelled);
      if (hidden.isEmpty()) {
        return new Ending(index, FinishReason.CANCELLED);
      }
      decoder.logits(hidden.get(), logits);
      int position = promptLength + index;
      int tokenId = sampler.token(logits, position);
      sink.accept(new GeneratedToken(index, position, tokenId, hidden.get().copy()));
      Optional<FinishReason> reason = reasonToStop(request, index + 1, tokenId);
      if (reason.isPresent()) {
        return new Ending(index + 1, reason.get());
      }
      unread = new int[] {tokenId};
    }
  }

  /// Recomputes a claimed generation with one prefill pass over the prompt and the claimed tokens.
  ///
  /// The sink gets, for each claimed token, the token that the model chooses after the claimed ones
  /// before it, with its hidden state. The claim is honest if every token equals the claimed one,
  /// and every hidden state the committed one; whether it also ended where it had to is [#ending]'s
  /// question.
  ///
  /// @throws IllegalArgumentException when the claim does not fit the model, or a token is not in
  ///   its vocabulary
  public void replay(GenerationRequest request, int[] generated, Consumer<GeneratedToken> sink) {
    if (generated.length == 0) {
      return;
    }
    if (generated.length > positionsNeeded(request) - request.prompt().size()) {
      throw new IllegalArgumentException(
          "%d tokens are claimed, but this request and model allow %d."
              .formatted(generated.length, positionsNeeded(request) - request.prompt().size()));
    }
    int first = request.prompt().size() - 1; // The row that the first generated token comes from.
    int[] tokens = concatenated(request.promptTokens(), generated, generated.length - 1);
    KeyValueCache cache = decoder.cache(tokens.length);
    Sampler sampler = sampler(request);
    Tensor logits =
        Tensor.zeros(Math.min(REPLAY_ROWS, decoder.chunkRows()), decoder.config().vocabularySize());
    for (int from = 0; from < tokens.length; from += decoder.chunkRows()) {
      int to = Math.min(tokens.length, from + decoder.chunkRows());
      Tensor hidden = decoder.append(cache, tokens, from, to);
      int start = Math.max(from, first);
      while (start < to) {
        int end = Math.min(to, start + logits.dim(0));
        Tensor rows = hidden.rows(start - from, end - from);
        Tensor rowLogits = logits.rows(0, end - start);
        decoder.logits(rows, rowLogits);
        for (int row = start; row < end; row++) {
          int tokenId = sampler.token(rowLogits.rows(row - start, row - start + 1), row + 1);
          Tensor state = rows.rows(row - start, row - start + 1).copy();
          sink.accept(new GeneratedToken(row - first, row + 1, tokenId, state));
        }
        start = end;
      }
    }
  }

  /// Where a generation of these tokens has to end, or empty if it has to go on after all of them.
  public Optional<Ending> ending(GenerationRequest request, int[] generated) {
    checkPromptFits(request);
    for (int count = 1; count <= generated.length; count++) {
      Optional<FinishReason> reason = reasonToStop(request, count, generated[count - 1]);
      if (reason.isPresent()) {
        return Optional.of(new Ending(count, reason.get()));
      }
    }
    return Optional.empty();
  }

  /// Reads tokens chunk by chunk; the last hidden state of the last one, `(1, D)`, or empty when
  /// cancelled.
  private Optional<Tensor> read(KeyValueCache cache, int[] tokens, BooleanSupplier cancelled) {
    Tensor last = null;
    for (int from = 0; from < tokens.length; from += decoder.chunkRows()) {
      if (cancelled.getAsBoolean()) {
        return Optional.empty();
      }
      int to = Math.min(tokens.length, from + decoder.chunkRows());
      last = decoder.append(cache, tokens, from, to).rows(to - from - 1, to - from);
    }
    return Optional.ofNullable(last);
  }

  private Optional<FinishReason> reasonToStop(GenerationRequest request, int count, int lastToken) {
    if (request.stopTokens().contains(lastToken)) {
      return Optional.of(FinishReason.STOP_TOKEN);
    }
    if (count >= request.tokensMax()) {
      return Optional.of(FinishReason.TOKENS_MAX);
    }
    if (request.prompt().size() + count >= decoder.positionsMax()) {
      return Optional.of(FinishReason.CONTEXT_FULL);
    }
    return Optional.empty();
  }

  private int positionsNeeded(GenerationRequest request) {
    checkPromptFits(request);
    return (int)
        Math.min((long) request.prompt().size() + request.tokensMax(), decoder.positionsMax());
  }

  private void checkPromptFits(GenerationRequest request) {
    if (request.prompt().size() >= decoder.positionsMax()) {
      throw new IllegalArgumentException(
          "The prompt has %d tokens, but at most %d leave room for an answer; shorten it."
              .formatted(request.prompt().size(), decoder.positionsMax() - 1));
    }
  }

  private Sampler sampler(GenerationRequest request) {
    return new Sampler(kernels, request.sampling(), decoder.config().vocabularySize());
  }

  private static int[] concatenated(int[] prompt, int[] generated, int count) {
    int[] tokens = Arrays.copyOf(prompt, prompt.length + count);
    System.arraycopy(generated, 0, tokens, prompt.length, count);
    return tokens;
  }
}

package io.rigmesh.worker.verify;

import io.rigmesh.protocol.CommitmentChain;
import io.rigmesh.protocol.Digests;
import io.rigmesh.protocol.Evidence;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.Meter;
import io.rigmesh.protocol.Receipt;
import io.rigmesh.protocol.Task;
import io.rigmesh.worker.generate.Ending;
import io.rigmesh.worker.generate.FinishReason;
import io.rigmesh.worker.generate.GeneratedToken;
import io.rigmesh.worker.serve.EngineException;
import io.rigmesh.worker.serve.SequenceEvent;
import io.rigmesh.worker.serve.SequenceRequest;
import io.rigmesh.worker.serve.TokenStream;
import io.rigmesh.worker.task.Generation;
import io.rigmesh.worker.task.InvalidJobException;
import io.rigmesh.worker.task.JobInput;
import io.rigmesh.worker.task.ModelShelf;
import io.rigmesh.worker.task.RunEvent;
import io.rigmesh.worker.task.TokenLogprobs;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import java.util.concurrent.CancellationException;
import java.util.function.Consumer;

/// Checks a generation with one prefill pass over the prompt and the claimed tokens, up to the last
/// token chosen: each must be the token that the model chooses after those before it, and each link
/// the hash of the link before it, the position, the token and the hidden state. The tokens on the
/// way to the last chosen one cost nothing more, so they are checked, too.
final class GenerationCheck {
  private static final long OUTPUT_BYTES_MAX = 64L << 20;

  private final ModelShelf shelf;
  private final Job job;
  private final Task.Generate task;
  private final Receipt receipt;
  private final Evidence.Generation evidence;
  private final Materials materials;

  GenerationCheck(
      ModelShelf shelf,
      Job job,
      Task.Generate task,
      Receipt receipt,
      Evidence.Generation evidence,
      Materials materials) {
    this.shelf = shelf;
    this.job = job;
    this.task = task;
    this.receipt = receipt;
    this.evidence = evidence;
    this.materials = materials;
  }

  Recomputed run(Selection selection, Consumer<RunEvent.Progress> progress) {
    String input = JobInput.text(materials.inputFile(), job, JobInput.PROMPT_BYTES_MAX);
    requireCounts();
    try (ModelShelf.Use use =
        shelf.use(job.model(), job.profile(), () -> JobInput.model(materials.modelFolder(), job))) {
      Generation generation = Generation.of(use.model(), input, task, job.seed());
      Finding.require(
          generation.request().prompt().equals(evidence.promptTokens()),
          "The evidence's prompt tokens are not what the model's tokenizer makes of the prompt.");
      int[] tokens = evidence.tokens().stream().mapToInt(Integer::intValue).toArray();
      requireInVocabulary(tokens, generation.config().vocabularySize());
      SortedSet<Integer> chosen = selection.of(tokens.length);
      int count = chosen.isEmpty() ? 0 : chosen.last() + 1;
      Optional<Ending> ending = generation.ending(evidence.tokens());
      int[] checked =
          Arrays.copyOf(tokens, Math.min(count, ending.map(Ending::tokens).orElse(tokens.length)));
      long startNanos = System.nanoTime();
      List<byte[]> logprobs = replay(generation, checked, progress);
      double seconds = Recomputed.secondsSince(startNanos);
      FinishReason reason =
          ending.isEmpty() && isOutput(generation, FinishReason.CANCELLED)
              ? FinishReason.CANCELLED
              : requireEnded(ending, tokens.length);
      requireOutput(generation, reason);
      if (generation.tellsLogprobs()) {
        requireLogprobs(logprobs);
      }
      return new Recomputed(checked.length, tokens.length, "tokens", seconds);
    }
  }

  /// Recomputes tokens with the prefill of the prompt.
  ///
  /// @return the lines of what the model thought of them, where the job asks for that
  private List<byte[]> replay(
      Generation generation, int[] checked, Consumer<RunEvent.Progress> progress) {
    List<byte[]> logprobs = new ArrayList<>();
    if (checked.length == 0) {
      return logprobs;
    }
    CommitmentChain start = Generation.start(job, evidence.promptTokens());
    try (TokenStream stream = generation.start(checked, SequenceRequest.Mode.REPLAY, Hash.ZERO)) {
      while (true) {
        switch (stream.next()) {
          case SequenceEvent.Token(var token, var seen) -> {
            requireSame(token, start);
            seen.ifPresent(
                l -> logprobs.add(TokenLogprobs.of(generation, token.tokenId(), l).line()));
            progress.accept(
                new RunEvent.Progress(token.index() + 1L, checked.length, Optional.empty(), 0.0));
          }
          case SequenceEvent.Ended _ -> {
            return logprobs;
          }
          case SequenceEvent.Failed(var cause) -> throw cause;
        }
      }
    } catch (EngineException e) {
      throw new InvalidJobException(String.valueOf(e.getMessage()), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancellationException("interrupted while verifying");
    }
  }

  private void requireCounts() {
    int tokens = evidence.tokens().size();
    Finding.require(tokens > 0, "The evidence has no token, but a generation has at least one.");
    Finding.require(
        evidence.links().size() == tokens,
        "The evidence has %d links for %d tokens.".formatted(evidence.links().size(), tokens));
    Meter meter = new Meter(evidence.promptTokens().size(), tokens, tokens);
    Finding.require(
        receipt.meter().equals(meter),
        "The receipt's meter is %s, but the evidence says %s.".formatted(receipt.meter(), meter));
  }

  private static void requireInVocabulary(int[] tokens, int vocabularySize) {
    for (int i = 0; i < tokens.length; i++) {
      if (tokens[i] >= vocabularySize) {
        throw Finding.differs(
            i + 1L,
            "Token %d differs: %d is not in the model's vocabulary of %d."
                .formatted(i + 1, tokens[i], vocabularySize));
      }
    }
  }

  private void requireSame(GeneratedToken token, CommitmentChain start) {
    int index = token.index();
    int claimed = evidence.tokens().get(index);
    if (claimed != token.tokenId()) {
      throw Finding.differs(
          index + 1L,
          "Token %d differs: the model chooses %d, but the evidence says %d."
              .formatted(index + 1, token.tokenId(), claimed));
    }
    List<Hash> before = index == 0 ? List.of() : List.of(evidence.links().get(index - 1));
    Hash link =
        CommitmentChain.resume(start, before)
            .token(token.position(), token.tokenId(), token.hiddenState().toArray());
    if (!link.equals(evidence.links().get(index))) {
      throw Finding.differs(
          index + 1L,
          "Token %d differs: its link is not the hash of the link before it, its position, the token and its hidden state."
              .formatted(index + 1));
    }
  }

  private static FinishReason requireEnded(Optional<Ending> found, int tokens) {
    Ending ending =
        found.orElseThrow(() ->
            Finding.differs(
                tokens + 1L,
                "Token %d differs: the generation goes on after %d tokens, but the evidence ends there."
                    .formatted(tokens + 1, tokens)));
    if (ending.tokens() != tokens) {
      throw Finding.differs(
          ending.tokens() + 1L,
          "Token %d differs: the generation ends after %d tokens, but the evidence goes on."
              .formatted(ending.tokens() + 1, ending.tokens()));
    }
    return ending.reason();
  }

  private void requireOutput(Generation generation, FinishReason reason) {
    Finding.require(
        isOutput(generation, reason),
        materials.outputFolder().resolve(Generation.OUTPUT)
            + " does not hold the text and the tokens of the evidence.");
  }

  /// Whether the output is that of a generation that ended for a reason. One that was called off
  /// says so, and is a beginning of what would have come.
  private boolean isOutput(Generation generation, FinishReason reason) {
    Path file = materials.outputFolder().resolve(Generation.OUTPUT);
    List<Integer> tokens = evidence.tokens();
    byte[] expected = Generation.outputJson(generation.text(tokens), reason, tokens);
    try {
      return Files.isRegularFile(file)
          && Files.size(file) <= OUTPUT_BYTES_MAX
          && Digests.sha256(Files.readAllBytes(file)).equals(Digests.sha256(expected));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
    }
  }

  /// Compares the lines of the tokens that were recomputed; that there are as many as tokens, of
  /// all.
  private void requireLogprobs(List<byte[]> expected) {
    Path file = materials.outputFolder().resolve(TokenLogprobs.FILE);
    try (BufferedReader reader = Files.newBufferedReader(file)) {
      int count = 0;
      String line = reader.readLine();
      while (line != null && count < evidence.tokens().size()) {
        if (count < expected.size()) {
          String wanted = new String(expected.get(count), StandardCharsets.UTF_8);
          if (!wanted.equals(line + "\n")) {
            throw Finding.differs(
                count + 1L,
                "Token %d differs: %s does not say what the model thought of it."
                    .formatted(count + 1, file));
          }
        }
        count++;
        line = reader.readLine();
      }
      Finding.require(
          line == null && count == evidence.tokens().size(),
          "%s has not one line for each of the %d tokens."
              .formatted(file, evidence.tokens().size()));
    } catch (IOException e) {
      throw Finding.invalid("cannot read " + file + ": " + e.getMessage());
    }
  }
}

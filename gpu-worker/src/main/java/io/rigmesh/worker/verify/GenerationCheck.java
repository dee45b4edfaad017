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
import io.rigmesh.worker.generate.GeneratedToken;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.task.Generation;
import io.rigmesh.worker.task.JobInput;
import io.rigmesh.worker.task.RunEvent;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import java.util.function.Consumer;

/// Checks a generation with one prefill pass over the prompt and the claimed tokens, up to the last
/// token chosen: each must be the token that the model chooses after those before it, and each link
/// the hash of the link before it, the position, the token and the hidden state. The tokens on the
/// way to the last chosen one cost nothing more, so they are checked, too.
final class GenerationCheck {
  private static final long OUTPUT_BYTES_MAX = 64L << 20;

  private final Kernels kernels;
  private final Job job;
  private final Task.Generate task;
  private final Receipt receipt;
  private final Evidence.Generation evidence;
  private final Materials materials;

  GenerationCheck(
      Kernels kernels,
      Job job,
      Task.Generate task,
      Receipt receipt,
      Evidence.Generation evidence,
      Materials materials) {
    this.kernels = kernels;
    this.job = job;
    this.task = task;
    this.receipt = receipt;
    this.evidence = evidence;
    this.materials = materials;
  }

  Recomputed run(Selection selection, Consumer<RunEvent.Progress> progress) {
    String prompt = JobInput.text(materials.inputFile(), job, JobInput.PROMPT_BYTES_MAX);
    Path folder = JobInput.model(materials.modelFolder(), job);
    requireCounts();
    try (Generation generation = Generation.open(kernels, folder, prompt, task, job.seed())) {
      Finding.require(
          generation.request().prompt().equals(evidence.promptTokens()),
          "The evidence's prompt tokens are not what the model's tokenizer makes of the prompt.");
      int[] tokens = evidence.tokens().stream().mapToInt(Integer::intValue).toArray();
      requireInVocabulary(tokens, generation.config().vocabularySize());
      SortedSet<Integer> chosen = selection.of(tokens.length);
      int count = chosen.isEmpty() ? 0 : chosen.last() + 1;
      CommitmentChain start = Generation.start(job, evidence.promptTokens());
      int[] checked = Arrays.copyOf(tokens, (int) Math.min(count, endOf(generation, tokens)));
      generation
          .generator()
          .replay(
              generation.request(),
              checked,
              token -> {
                requireSame(token, start);
                progress.accept(
                    new RunEvent.Progress(
                        token.index() + 1L, checked.length, Optional.empty(), 0.0));
              });
      requireEnded(generation, tokens);
      requireOutput(generation);
      return new Recomputed(checked.length, tokens.length, "tokens");
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

  /// How many of the tokens come before or at the end that they themselves give.
  private static long endOf(Generation generation, int[] tokens) {
    return generation
        .generator()
        .ending(generation.request(), tokens)
        .map(ending -> (long) ending.tokens())
        .orElse((long) tokens.length);
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

  private void requireEnded(Generation generation, int[] tokens) {
    Ending ending =
        generation
            .generator()
            .ending(generation.request(), tokens)
            .orElseThrow(() ->
                Finding.differs(
                    tokens.length + 1L,
                    "Token %d differs: the generation goes on after %d tokens, but the evidence ends there."
                        .formatted(tokens.length + 1, tokens.length)));
    if (ending.tokens() != tokens.length) {
      throw Finding.differs(
          ending.tokens() + 1L,
          "Token %d differs: the generation ends after %d tokens, but the evidence goes on."
              .formatted(ending.tokens() + 1, ending.tokens()));
    }
  }

  private void requireOutput(Generation generation) {
    Path file = materials.outputFolder().resolve(Generation.OUTPUT);
    List<Integer> tokens = evidence.tokens();
    byte[] expected = Generation.outputJson(generation.text(tokens), tokens);
    try {
      Finding.require(
          Files.isRegularFile(file)
              && Files.size(file) <= OUTPUT_BYTES_MAX
              && Digests.sha256(Files.readAllBytes(file)).equals(Digests.sha256(expected)),
          file + " does not hold the text and the tokens of the evidence.");
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
    }
  }
}

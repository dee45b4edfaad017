package io.rigmesh.worker.task;

import io.rigmesh.protocol.CommitmentChain;
import io.rigmesh.protocol.Evidence;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.Meter;
import io.rigmesh.protocol.Task;
import io.rigmesh.worker.format.AtomicFile;
import io.rigmesh.worker.generate.Ending;
import io.rigmesh.worker.generate.FinishReason;
import io.rigmesh.worker.generate.GeneratedToken;
import io.rigmesh.worker.tokenizer.IncrementalDecoder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;

/// Runs a generation job. The work folder holds `tokens`, the tokens so far; a process that goes on
/// replays them with one prefill pass, which gives their links again, drops any that are not what
/// the model says, and generates the rest. The output folder holds `output.json`.
final class GenerationRun {
  private final RunContext context;
  private final RunRequest request;
  private final Job job;
  private final Task.Generate task;

  private final List<Integer> tokens = new ArrayList<>();
  private final StringBuilder text = new StringBuilder();
  private final Throughput throughput = new Throughput();

  GenerationRun(RunContext context, RunRequest request, Task.Generate task) {
    this.context = context;
    this.request = request;
    this.job = request.job();
    this.task = task;
  }

  RunEvent.Done run() {
    String prompt = JobInput.text(request.inputFile(), job, JobInput.PROMPT_BYTES_MAX);
    Path folder = JobInput.model(request.modelFolder(), job);
    context.refuseIfCancelled();
    Folders.make(request.workFolder());
    try (Generation generation =
            Generation.open(context.kernels(), folder, prompt, task, job.seed());
        TokenJournal journal = TokenJournal.open(request.workFolder().resolve("tokens"))) {
      return run(generation, journal);
    }
  }

  private RunEvent.Done run(Generation generation, TokenJournal journal) {
    List<Integer> promptTokens = generation.request().prompt();
    CommitmentChain chain = Generation.start(job, promptTokens);
    IncrementalDecoder decoder = generation.incrementalDecoder();
    int[] known = honest(generation, journal.tokens());
    context.send(new RunEvent.Started(task.maxTokens(), job.model(), known.length));
    generation
        .generator()
        .replay(generation.request(), known, token -> accept(token, generation, chain, decoder));
    journal.truncate(known.length);
    Ending ending =
        generation
            .generator()
            .resume(
                generation.request(),
                known,
                token -> {
                  journal.append(token.tokenId());
                  accept(token, generation, chain, decoder);
                },
                context.cancelled());
    if (ending.reason() == FinishReason.CANCELLED) {
      throw new CancellationException("The job was cancelled.");
    }
    return finish(promptTokens, chain);
  }

  /// The longest beginning of kept tokens that this model and request give; all of them, unless the
  /// disk lost some.
  private int[] honest(Generation generation, int[] kept) {
    int vocabulary = generation.config().vocabularySize();
    int count = 0;
    while (count < kept.length && kept[count] >= 0 && kept[count] < vocabulary) {
      count++;
    }
    int[] candidates = Arrays.copyOf(kept, count);
    int whole =
        generation
            .generator()
            .ending(generation.request(), candidates)
            .map(Ending::tokens)
            .orElse(count);
    int[] known = Arrays.copyOf(candidates, whole);
    int[] agreeing = {0};
    generation
        .generator()
        .replay(
            generation.request(),
            known,
            token -> {
              context.refuseIfCancelled();
              if (token.index() == agreeing[0] && known[token.index()] == token.tokenId()) {
                agreeing[0]++;
              }
            });
    return Arrays.copyOf(known, agreeing[0]);
  }

  private void accept(
      GeneratedToken token,
      Generation generation,
      CommitmentChain chain,
      IncrementalDecoder decoder) {
    Hash link = chain.token(token.position(), token.tokenId(), token.hiddenState().toArray());
    tokens.add(token.tokenId());
    String piece = decoder.append(token.tokenId());
    if (generation.isLast(token)) {
      piece += decoder.finish();
    }
    text.append(piece);
    throughput.add(1);
    context.send(new RunEvent.Token(token.position(), token.tokenId(), piece, link));
    context.send(
        new RunEvent.Progress(
            token.index() + 1L, task.maxTokens(), Optional.empty(), throughput.tokensPerSecond()));
  }

  private RunEvent.Done finish(List<Integer> promptTokens, CommitmentChain chain) {
    Folders.delete(request.outputFolder());
    Folders.make(request.outputFolder());
    AtomicFile.write(
        request.outputFolder().resolve(Generation.OUTPUT),
        Generation.outputJson(text.toString(), tokens));
    return new RunEvent.Done(
        new Meter(promptTokens.size(), tokens.size(), tokens.size()),
        new Evidence.Generation(promptTokens, tokens, chain.links()),
        job.model(),
        Folders.manifest(request.outputFolder()).root(),
        Optional.empty());
  }
}

package io.rigmesh.worker.task;

import io.rigmesh.protocol.CommitmentChain;
import io.rigmesh.protocol.Digests;
import io.rigmesh.protocol.Evidence;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.Meter;
import io.rigmesh.protocol.Task;
import io.rigmesh.worker.format.AtomicFile;
import io.rigmesh.worker.generate.FinishReason;
import io.rigmesh.worker.generate.GeneratedToken;
import io.rigmesh.worker.serve.EngineException;
import io.rigmesh.worker.serve.SequenceEvent;
import io.rigmesh.worker.serve.SequenceRequest;
import io.rigmesh.worker.serve.TokenStream;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;

/// Runs a generation job beside others. The work folder holds `tokens`, the tokens so far; a
/// process that goes on has the model check them together with the prompt, drops them from the
/// first that the model does not choose, and generates the rest. The output folder holds
/// `output.json`.
final class GenerationRun {
  /// How long a wait for a token lasts before it is asked whether the job is cancelled.
  private static final long POLL_MILLIS = 20;

  private final RunContext context;
  private final RunRequest request;
  private final Job job;
  private final Task.Generate task;

  private final List<Integer> tokens = new ArrayList<>();
  private final StringBuilder text = new StringBuilder();
  private final ByteArrayOutputStream logprobs = new ByteArrayOutputStream();
  private final Throughput throughput = new Throughput();

  GenerationRun(RunContext context, RunRequest request, Task.Generate task) {
    this.context = context;
    this.request = request;
    this.job = request.job();
    this.task = task;
  }

  RunEvent.Done run() {
    String input = JobInput.text(request.inputFile(), job, JobInput.PROMPT_BYTES_MAX);
    context.refuseIfCancelled();
    Folders.make(request.workFolder());
    try (ModelShelf.Use use =
            context
                .shelf()
                .use(job.model(), job.profile(), () -> JobInput.model(request.modelFolder(), job));
        TokenJournal journal = TokenJournal.open(request.workFolder().resolve("tokens"))) {
      return run(Generation.of(use.model(), input, task, job.seed()), journal);
    }
  }

  private RunEvent.Done run(Generation generation, TokenJournal journal) {
    List<Integer> promptTokens = generation.request().prompt();
    CommitmentChain chain = Generation.start(job, promptTokens);
    int[] known = possible(generation, journal.tokens());
    journal.truncate(known.length);
    context.send(
        new RunEvent.Started(task.maxTokens(), job.model(), known.length, promptTokens.size()));
    FinishReason reason;
    try (TokenStream stream =
        generation.start(
            known, SequenceRequest.Mode.GENERATE, scope(job), context.allowance().tokens())) {
      context.allowance().follow(stream::allow);
      reason = follow(generation, stream, journal, known, chain);
    } catch (EngineException e) {
      throw refused(e);
    }
    return finish(generation, reason, promptTokens, chain);
  }

  /// The longest beginning of kept tokens that a run of this job could have made.
  private static int[] possible(Generation generation, int[] kept) {
    int vocabulary = generation.config().vocabularySize();
    int most =
        Math.min(
            generation.request().tokensMax(),
            generation.config().positionsMax() - generation.request().prompt().size());
    int count = 0;
    while (count < Math.min(kept.length, most) && kept[count] >= 0 && kept[count] < vocabulary) {
      count++;
    }
    return Arrays.copyOf(kept, count);
  }

  /// Whose equal beginnings are computed once: a requester's own.
  private static Hash scope(Job job) {
    return Digests.sha256(job.requester().bytes());
  }

  private FinishReason follow(
      Generation generation,
      TokenStream stream,
      TokenJournal journal,
      int[] known,
      CommitmentChain chain) {
    GenerationText words = generation.text();
    boolean journalHolds = true;
    while (true) {
      Optional<SequenceEvent> event = next(stream, known.length);
      if (event.isEmpty()) {
        text.append(words.finish());
        return FinishReason.CANCELLED;
      }
      switch (event.get()) {
        case SequenceEvent.Token(var token, var seen) -> {
          journalHolds &= token.index() < known.length && known[token.index()] == token.tokenId();
          if (!journalHolds) {
            if (token.index() < known.length) {
              journal.truncate(token.index());
            }
            journal.append(token.tokenId());
          }
          Optional<TokenLogprobs> told =
              seen.map(l -> TokenLogprobs.of(generation, token.tokenId(), l));
          told.ifPresent(l -> logprobs.writeBytes(l.line()));
          String piece = words.append(token.tokenId());
          Optional<FinishReason> reason = generation.reasonToStop(token, words);
          accept(token, reason.isPresent() ? piece + words.finish() : piece, told, reason, chain);
          if (reason.isPresent()) {
            return reason.get();
          }
        }
        case SequenceEvent.Ended(var ending) -> {
          if (ending.reason() == FinishReason.CANCELLED) {
            throw new CancellationException("The job was cancelled.");
          }
          return ending.reason();
        }
        case SequenceEvent.Failed(var cause) -> throw failed(cause);
      }
    }
  }

  /// Waits for what comes next; empty if the job shall end with the tokens that it has. Those of an
  /// earlier run are all among them, since somebody may have paid for them.
  private Optional<SequenceEvent> next(TokenStream stream, int known) {
    try {
      while (true) {
        boolean hasAll = !tokens.isEmpty() && tokens.size() >= known;
        if (!context.isConcluded()) {
          context.refuseIfCancelled();
        } else if (hasAll) {
          return Optional.empty();
        } else if (known == 0) {
          throw new CancellationException("The job was called off before its first token.");
        }
        Optional<SequenceEvent> event = stream.poll(POLL_MILLIS);
        if (event.isPresent()) {
          return event;
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancellationException("The worker is ending.");
    }
  }

  private void accept(
      GeneratedToken token,
      String piece,
      Optional<TokenLogprobs> told,
      Optional<FinishReason> reason,
      CommitmentChain chain) {
    Hash link = chain.token(token.position(), token.tokenId(), token.hiddenState().toArray());
    tokens.add(token.tokenId());
    text.append(piece);
    throughput.add(1);
    context.send(
        new RunEvent.Token(
            token.position(),
            token.tokenId(),
            piece,
            link,
            told,
            reason.map(Generation::finishName)));
    context.send(
        new RunEvent.Progress(
            token.index() + 1L, task.maxTokens(), Optional.empty(), throughput.tokensPerSecond()));
  }

  private RunEvent.Done finish(
      Generation generation,
      FinishReason reason,
      List<Integer> promptTokens,
      CommitmentChain chain) {
    Folders.delete(request.outputFolder());
    Folders.make(request.outputFolder());
    if (generation.tellsLogprobs()) {
      AtomicFile.write(request.outputFolder().resolve(TokenLogprobs.FILE), logprobs.toByteArray());
    }
    AtomicFile.write(
        request.outputFolder().resolve(Generation.OUTPUT),
        Generation.outputJson(text.toString(), reason, tokens));
    return new RunEvent.Done(
        new Meter(promptTokens.size(), tokens.size(), tokens.size()),
        new Evidence.Generation(promptTokens, tokens, chain.links()),
        job.model(),
        Folders.manifest(request.outputFolder()).root(),
        Optional.empty());
  }

  private static RuntimeException refused(EngineException e) {
    return switch (e.reason()) {
      case TOO_LONG -> new InvalidJobException(String.valueOf(e.getMessage()), e);
      case BUSY, CLOSED -> e;
    };
  }

  private static RuntimeException failed(RuntimeException cause) {
    if (cause instanceof EngineException e && e.getCause() instanceof OutOfMemoryError lack) {
      throw lack;
    }
    return cause;
  }
}

package io.rigmesh.worker.task;

import io.rigmesh.protocol.CommitmentChain;
import io.rigmesh.protocol.Evidence;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.Meter;
import io.rigmesh.worker.embed.Embedder;
import io.rigmesh.worker.format.ElementType;
import io.rigmesh.worker.format.SafetensorsWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;

/// Runs an embedding job. The work folder holds a [VectorJournal], from which a process goes on;
/// the output folder `vectors.safetensors` with the one tensor `embeddings`, `(sentences,
/// dimensions)`, F32, in the order of the input's lines.
public final class EmbeddingRun {
  /// The name of the output's only file.
  public static final String OUTPUT = "vectors.safetensors";

  /// The name of its only tensor.
  public static final String TENSOR = "embeddings";

  /// How many sentences are done between two looks at whether the job is cancelled.
  private static final int BATCH = 32;

  /// How long a wait for an allowance lasts before it is asked whether the job is cancelled.
  private static final long POLL_MILLIS = 20;

  private final RunContext context;
  private final RunRequest request;
  private final Job job;

  EmbeddingRun(RunContext context, RunRequest request) {
    this.context = context;
    this.request = request;
    this.job = request.job();
  }

  RunEvent.Done run() {
    List<String> sentences = sentences(request.inputFile(), job);
    Path folder = JobInput.model(request.modelFolder(), job);
    context.refuseIfCancelled();
    try (Embedder embedder =
        Embedder.open(folder, context.kernels(), job.profile(), context.shelf().encoders())) {
      if ((long) sentences.size() * embedder.dimensions() * Float.BYTES > Integer.MAX_VALUE) {
        throw new InvalidJobException(
            "%d vectors of %d numbers are more than 2 GiB; send the sentences in several jobs."
                .formatted(sentences.size(), embedder.dimensions()));
      }
      List<int[]> tokens = sentences.stream().map(embedder::tokens).toList();
      Folders.make(request.workFolder());
      try (VectorJournal journal =
          VectorJournal.open(request.workFolder(), embedder.dimensions())) {
        return run(embedder, tokens, journal);
      }
    }
  }

  /// The sentences of an embedding job: the lines of its input.
  ///
  /// @throws InvalidJobException if it is not the job's input, or has no line
  public static List<String> sentences(Path inputFile, Job job) {
    List<String> sentences = JobInput.lines(JobInput.text(inputFile, job, JobInput.TEXT_BYTES_MAX));
    if (sentences.isEmpty()) {
      throw new InvalidJobException("The input has no line; give it one sentence a line.");
    }
    return sentences;
  }

  /// The chain of an embedding before its first sentence.
  public static CommitmentChain start(Job job, List<int[]> tokens) {
    return CommitmentChain.start(
        job.id(), job.model(), job.profile(), CommitmentChain.tokenDigest(tokens));
  }

  private RunEvent.Done run(Embedder embedder, List<int[]> tokens, VectorJournal journal) {
    CommitmentChain chain = start(job, tokens);
    int count = tokens.size();
    int done = journal.resume(chain, count);
    context.send(new RunEvent.Started(count, job.model(), done));
    Throughput throughput = new Throughput();
    long tokensIn = tokens.subList(0, done).stream().mapToLong(s -> s.length).sum();
    if (done > 0) {
      // What an earlier run did counts as much as what this one does.
      tell(done, count, throughput, tokensIn);
    }
    while (done < count) {
      List<int[]> batch = nextBatch(tokens, done, tokensIn);
      List<float[]> vectors = embedder.embedTokens(batch);
      int first = done;
      for (float[] vector : vectors) {
        chain.vector(done++, vector);
      }
      journal.append(vectors, chain.links().subList(first, done));
      batch.forEach(sequence -> throughput.add(sequence.length));
      tokensIn += batch.stream().mapToLong(sequence -> sequence.length).sum();
      tell(done, count, throughput, tokensIn);
    }
    return finish(embedder, tokens, journal, chain);
  }

  private void tell(int done, int count, Throughput throughput, long tokensIn) {
    context.send(
        new RunEvent.Progress(
            done, count, Optional.empty(), throughput.tokensPerSecond(), tokensIn));
  }

  /// The next sentences, once one of them may be begun: no more of them than begin within the
  /// allowance.
  private List<int[]> nextBatch(List<int[]> tokens, int done, long tokensIn) {
    try {
      do {
        context.refuseIfCancelled();
      } while (!context.allowance().awaitAbove(tokensIn, POLL_MILLIS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancellationException("The worker is ending.");
    }
    long allowed = context.allowance().tokens();
    int end = done;
    for (long used = tokensIn;
        end < Math.min(tokens.size(), done + BATCH) && used < allowed;
        end++) {
      used += tokens.get(end).length;
    }
    return tokens.subList(done, end);
  }

  private RunEvent.Done finish(
      Embedder embedder, List<int[]> tokens, VectorJournal journal, CommitmentChain chain) {
    Folders.delete(request.outputFolder());
    Folders.make(request.outputFolder());
    new SafetensorsWriter()
        .add(TENSOR, ElementType.F32, journal.rows(), tokens.size(), embedder.dimensions())
        .write(request.outputFolder().resolve(OUTPUT));
    long tokensIn = tokens.stream().mapToLong(sequence -> sequence.length).sum();
    return new RunEvent.Done(
        new Meter(tokensIn, 0, tokens.size()),
        new Evidence.Embedding(chain.links()),
        job.model(),
        Folders.manifest(request.outputFolder()).root(),
        Optional.empty());
  }
}

package io.rigmesh.worker.cuda;

import io.rigmesh.protocol.CommitmentChain;
import io.rigmesh.protocol.Digests;
import io.rigmesh.protocol.Hash;
import io.rigmesh.worker.generate.GeneratedToken;
import io.rigmesh.worker.generate.GenerationRequest;
import io.rigmesh.worker.generate.SamplingParameters;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.serve.Engine;
import io.rigmesh.worker.serve.EngineLimits;
import io.rigmesh.worker.serve.SequenceEvent;
import io.rigmesh.worker.serve.SequenceRequest;
import io.rigmesh.worker.serve.TokenStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// Generations through the [Engine], as a worker serves them: each token's hidden state comes to
/// the host, where receipts want it chained into the commitments; and the check of a generation.
final class GpuServing implements AutoCloseable {
  private static final Hash ANY = Digests.sha256(new byte[] {1});

  private final Engine engine;
  private final Length length;
  private long seed;

  /// @param prompt tokens
  /// @param tokens generated behind them
  /// @param rounds of which the median is taken
  record Length(int prompt, int tokens, int rounds) {
    static final Length FULL = new Length(448, 256, 3);
  }

  /// The tokens of a sequence and when each came.
  private record Times(List<Integer> tokens, List<Long> at) {
    /// How many came after one moment and not after another.
    long between(long start, long end) {
      return at.stream().filter(time -> time > start && time <= end).count();
    }
  }

  /// @param runner the model, which this closes
  /// @param host what the engine computes on the host
  /// @param sequencesMax how many generate at once
  GpuServing(CudaStepRunner runner, Kernels host, int sequencesMax, Length length) {
    this.length = length;
    this.engine =
        new Engine(
            runner,
            host,
            new EngineLimits(sequencesMax, sequencesMax, runner.rowsMax(), 64, false));
  }

  /// Measures what receipts cost generations that run beside each other: tokens per second with
  /// commitments, beside those without.
  ///
  /// @param model for people
  /// @param bar the least share; receipts may cost 2%
  void receipts(String model, int sequences, double bar, GpuFigures figures) {
    double[] with = new double[length.rounds()];
    double[] without = new double[length.rounds()];
    generate(1, false);
    for (int round = 0; round < length.rounds(); round++) {
      with[round] = generate(sequences, true);
      without[round] = generate(sequences, false);
    }
    figures.figure(
        "%s generation with receipts, batch %d".formatted(model, sequences),
        median(with),
        "tokens/s",
        "without",
        median(without),
        bar);
  }

  /// Measures the check of a generation, in prefills, beside the generation; its tokens must be
  /// found right.
  void verify(String model, GpuFigures figures) {
    double[] checked = new double[length.rounds()];
    double[] generated = new double[length.rounds()];
    for (int round = 0; round < length.rounds(); round++) {
      SequenceRequest request = request();
      long start = System.nanoTime();
      Times made = await(List.of(() -> follow(request, false))).getFirst();
      long middle = System.nanoTime();
      int[] known = made.tokens().stream().mapToInt(Integer::intValue).toArray();
      SequenceRequest replay = request.withKnown(known, SequenceRequest.Mode.REPLAY);
      Times again = await(List.of(() -> follow(replay, false))).getFirst();
      long end = System.nanoTime();
      if (!again.tokens().equals(made.tokens())) {
        throw new AssertionError(
            "%s: a prefill chooses %s where the decode chose %s"
                .formatted(model, again.tokens(), made.tokens()));
      }
      generated[round] = known.length * 1e9 / (middle - start);
      checked[round] = known.length * 1e9 / (end - middle);
    }
    figures.figure(
        model + " verify", median(checked), "tokens/s", "their generation", median(generated), 0);
  }

  /// Tokens per second of all sequences, while all of them decode.
  private double generate(int sequences, boolean chained) {
    List<Callable<Times>> all = new ArrayList<>();
    for (int i = 0; i < sequences; i++) {
      SequenceRequest request = request();
      all.add(() -> follow(request, chained));
    }
    List<Times> times = await(all);
    long start = times.stream().mapToLong(each -> each.at().getFirst()).max().orElseThrow();
    long end = times.stream().mapToLong(each -> each.at().getLast()).min().orElseThrow();
    if (end <= start) {
      // The first was done before the last began: all that came, in all of the time.
      start = times.stream().mapToLong(each -> each.at().getFirst()).min().orElseThrow();
      end = times.stream().mapToLong(each -> each.at().getLast()).max().orElseThrow();
    }
    long from = start;
    long to = end;
    return times.stream().mapToLong(each -> each.between(from, to)).sum() * 1e9 / (to - from);
  }

  private SequenceRequest request() {
    seed++;
    Integer[] prompt = new Integer[length.prompt()];
    int vocabulary = engine.config().vocabularySize();
    Arrays.setAll(prompt, i -> (int) ((seed * 104_729 + i * 7_919L) % vocabulary));
    return SequenceRequest.of(
        new GenerationRequest(
            List.of(prompt), SamplingParameters.greedy(), length.tokens(), Set.of()));
  }

  private Times follow(SequenceRequest request, boolean chained) throws InterruptedException {
    CommitmentChain chain = CommitmentChain.start(ANY, ANY, engine.profile(), ANY);
    List<Integer> tokens = new ArrayList<>();
    List<Long> at = new ArrayList<>();
    try (TokenStream stream = engine.submit(request)) {
      while (true) {
        switch (stream.next()) {
          case SequenceEvent.Token event -> {
            GeneratedToken token = event.token();
            if (chained) {
              chain.token(token.position(), token.tokenId(), token.hiddenState().toArray());
            }
            tokens.add(token.tokenId());
            at.add(System.nanoTime());
          }
          case SequenceEvent.Ended ignored -> {
            return new Times(tokens, at);
          }
          case SequenceEvent.Failed failed -> throw failed.cause();
        }
      }
    }
  }

  private static List<Times> await(List<Callable<Times>> work) {
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Times> results = new ArrayList<>();
      for (Future<Times> future : threads.invokeAll(work)) {
        results.add(future.get());
      }
      return results;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while generating", e);
    } catch (ExecutionException e) {
      throw new IllegalStateException("a generation failed", e.getCause());
    }
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }

  @Override
  public void close() {
    engine.close();
  }
}

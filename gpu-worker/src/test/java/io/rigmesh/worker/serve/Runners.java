package io.rigmesh.worker.serve;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.llama.LlamaFixtures;
import io.rigmesh.worker.llama.LlamaParameters;
import io.rigmesh.worker.llama.LlamaWeights;
import io.rigmesh.worker.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;

/// Runners for tests, and one sequence alone in one of them.
public final class Runners {
  private Runners() {}

  /// A runner on the CPU.
  public static CpuStepRunner cpu(
      Kernels kernels, LlamaParameters parameters, Profile profile, int pages, int rowsMax) {
    return new CpuStepRunner(
        kernels,
        LlamaWeights.of(parameters),
        profile,
        new CpuStepRunner.Sizes(pages, rowsMax, rowsMax));
  }

  /// The bits of every row's last hidden state, of a sequence read in chunks of so many rows.
  public static List<int[]> hidden(StepRunner runner, int[] tokens, int chunkRows) {
    return rows(runner, tokens, chunkRows, StepOutput::hidden);
  }

  /// The bits of every row's logits.
  public static List<int[]> logits(StepRunner runner, int[] tokens, int chunkRows) {
    return rows(runner, tokens, chunkRows, StepOutput::logits);
  }

  private static List<int[]> rows(
      StepRunner runner, int[] tokens, int chunkRows, Function<StepOutput, Tensor> part) {
    int[] pageTable = IntStream.range(0, runner.pages()).toArray();
    List<int[]> bits = new ArrayList<>();
    for (int from = 0; from < tokens.length; from += chunkRows) {
      int rows = Math.min(chunkRows, tokens.length - from);
      Segment segment = new Segment(0, rows, from, pageTable, rows);
      Tensor result =
          part.apply(
              runner.run(
                  new Step(Arrays.copyOfRange(tokens, from, from + rows), List.of(segment))));
      for (int row = 0; row < rows; row++) {
        bits.add(LlamaFixtures.bits(result.rows(row, row + 1)));
      }
    }
    return bits;
  }
}

package io.rigmesh.worker.cuda;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.kernels.KeyValuePages;
import io.rigmesh.worker.llama.LlamaConfig;
import io.rigmesh.worker.serve.Segment;
import io.rigmesh.worker.serve.Step;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// A kind of step that is counted and timed.
///
/// @param name for people
/// @param scale how long and how many
/// @param shape of the step
/// @param tokens that it gives, or takes for a prompt
/// @param bar the least share of the floor, in i8-v1
record GpuWorkload(String name, Scale scale, StepShape shape, int tokens, double bar) {
  private static final int TILE_ROWS = 16;

  /// How much work there is.
  ///
  /// @param context positions of a sequence that decodes
  /// @param batch sequences that decode together
  /// @param prompt tokens of a prompt
  record Scale(int context, int batch, int prompt) {
    /// What docs/benchmarks.md tells of.
    static final Scale FULL = new Scale(1_024, 64, 512);

    /// What a runner takes memory for.
    CudaStepRunner.Sizes sizes() {
      return new CudaStepRunner.Sizes(batch * pages(), Math.max(prompt, batch), batch);
    }

    int pages() {
      return KeyValuePages.pagesFor(context);
    }

    /// As [StepShape] rounds it.
    private int shapeContext(int positions) {
      return LinearLaunch.pieces(positions, StepShape.CONTEXT_MIN) * StepShape.CONTEXT_MIN;
    }
  }

  /// Decodes of one sequence and of many, and a prompt.
  static List<GpuWorkload> all(Scale scale) {
    int batch = scale.batch();
    int context = scale.shapeContext(scale.context());
    int prompt = scale.prompt();
    return List.of(
        new GpuWorkload("decode, batch 1", scale, new StepShape(1, 1, 0, 1, context), 1, 0.70),
        new GpuWorkload(
            "decode, batch " + batch,
            scale,
            new StepShape(batch, batch, 0, batch, context),
            batch,
            0.50),
        new GpuWorkload(
            "prefill " + prompt,
            scale,
            new StepShape(
                prompt, 0, LinearLaunch.pieces(prompt, TILE_ROWS), 1, scale.shapeContext(prompt)),
            prompt,
            0.50));
  }

  /// The weights, and the keys and values of earlier positions.
  long bytes(LlamaConfig config, Profile profile) {
    long head = (long) config.vocabularySize() * config.hiddenSize();
    long weights = config.parameterCount() - (config.tiedHead() ? 0 : head);
    long cached = shape.tiles() > 0 ? 0 : (long) shape.rows() * scale.context();
    return weights * (profile == Profile.I8_V1 ? 1 : Float.BYTES)
        + cached * 2 * config.keyCols() * config.layers() * Float.BYTES;
  }

  /// The step, of tokens of any vocabulary of `vocabularySize`.
  Step step(int vocabularySize) {
    if (shape.tiles() > 0) {
      return new Step(tokenIds(tokens, vocabularySize), List.of(segment(0, 0, tokens, 0)));
    }
    List<Segment> segments = new ArrayList<>();
    for (int row = 0; row < tokens; row++) {
      segments.add(segment(row, row, 1, scale.context() - 1));
    }
    return new Step(tokenIds(tokens, vocabularySize), segments);
  }

  private Segment segment(int sequence, int firstRow, int rows, int firstPosition) {
    int[] pages = new int[scale.pages()];
    Arrays.setAll(pages, page -> sequence * pages.length + page);
    return new Segment(firstRow, rows, firstPosition, pages, 1);
  }

  private static int[] tokenIds(int count, int vocabularySize) {
    int[] ids = new int[count];
    Arrays.setAll(ids, i -> (i * 7_919 + 13) % vocabularySize);
    return ids;
  }
}

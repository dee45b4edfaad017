package io.rigmesh.worker.cuda;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.kernels.HeadLayout;
import io.rigmesh.worker.llama.LayerAttention;
import io.rigmesh.worker.llama.LlamaConfig;
import java.util.List;

/// The launches of one layer's attention: rows of decodes one by one with their keys shared out
/// over many blocks, rows of prompts in tiles.
final class AttentionLaunches {
  /// A tile of attention has 64 lines, each a query of one head.
  static final int TILE_LINES = 64;

  private static final int TILE_HEAD_DIM_MAX = 128;
  private static final int TILE_THREADS = 128;
  private static final int PAGE = 32;

  private static final int VALUES_THREADS = 256;
  private static final int VALUES_WIDTH = 32;

  /// What a block asks the cache for that does nothing else.
  private static final int AHEAD_BYTES_PER_BLOCK = 256 << 10;

  /// The most splits of 1024 keys whose sums one block adds for a whole row.
  private static final int QUANTISED_SPLITS_MAX = 8;

  private static final int QUANTISE_THREADS = 512;

  /// What every device has without asking, less what the kernel declares itself.
  private static final int SHARED_BYTES_PLAIN = CudaModules.SHARED_BYTES_PLAIN - 1024;

  private AttentionLaunches() {}

  /// Whether attention of this shape leaves its result quantised, as i8-v1's next layer reads it:
  /// where all rows are computed row by row and the splits of each are few.
  static boolean quantises(LlamaConfig config, Profile profile, StepShape shape) {
    return profile == Profile.I8_V1
        && shape.tiles() == 0
        && shape.context() <= QUANTISED_SPLITS_MAX * StepShape.CONTEXT_MIN
        && quantisedSharedBytes(config) <= SHARED_BYTES_PLAIN;
  }

  /// What a block takes that adds the splits of a whole row.
  static int quantisedSharedBytes(LlamaConfig config) {
    return Float.BYTES * config.heads() * (config.headDim() + 1);
  }

  /// Whether the tile kernels serve heads of this length on this device.
  static boolean tilesServe(int headDim, Architecture architecture) {
    return headDim <= TILE_HEAD_DIM_MAX && sharedBytes(headDim) <= architecture.sharedBytesMax();
  }

  /// How many rows a tile has.
  static int tileRows(HeadLayout layout) {
    return TILE_LINES / share(layout);
  }

  /// How many query heads of a group are computed by one block, so that keys are read once for
  /// them.
  private static int share(HeadLayout layout) {
    int group = layout.group();
    return group % 4 == 0 ? 4 : group % 2 == 0 ? 2 : 1;
  }

  static int tileWidth(int headDim) {
    return headDim <= 64 ? 64 : TILE_HEAD_DIM_MAX;
  }

  static int sharedBytes(int headDim) {
    int width = tileWidth(headDim);
    return Float.BYTES * (width * TILE_LINES + width * PAGE + PAGE * TILE_LINES + TILE_LINES);
  }

  static void add(
      LaunchPlan.Builder plan,
      String where,
      LlamaConfig config,
      StepMemory memory,
      StepShape shape,
      int layer,
      int window,
      boolean quantised) {
    if (shape.tiles() > 0) {
      tiles(plan, where, config, memory, shape, layer, window);
    }
    long perRow = (long) config.heads() * shape.context();
    int group = Math.clamp(memory.scoreCount() / perRow, 1, Math.max(1, shape.listed()));
    for (int first = 0; first < shape.listed(); first += group) {
      int count = Math.min(group, shape.listed() - first);
      rows(plan, where, config, memory, shape, layer, window, first, count, quantised);
    }
  }

  private static void tiles(
      LaunchPlan.Builder plan,
      String where,
      LlamaConfig config,
      StepMemory memory,
      StepShape shape,
      int layer,
      int window) {
    HeadLayout layout = config.headLayout();
    StepMemory.Input input = memory.input();
    int share = share(layout);
    int d = layout.headDim();
    long queries = (long) shape.tiles() * tileRows(layout);
    plan.add(
        new Launch(
            where + "attention of prompts",
            "attention_tiles_" + tileWidth(d),
            shape.tiles(),
            layout.heads() / share,
            1,
            TILE_THREADS,
            sharedBytes(d),
            new Arguments()
                .at(memory.qkv())
                .ints(qkvCols(layout))
                .at(memory.keys().get(layer), memory.values().get(layer), input.at(input.tables()))
                .ints(1)
                .at(
                    input.at(input.positions()),
                    input.at(input.sequences()),
                    input.at(input.tiles()),
                    input.at(StepMemory.Input.TILES),
                    memory.mixed())
                .ints(layout.heads(), layout.kvHeads(), d, share, window)
                .real(layout.scoreScale())
                .at(memory.fault())
                .ints(plan.nextFault())
                .list(),
            List.of("attention score", "attention"),
            // Scores are computed twice; half of the square is visible.
            new Work(
                8L * shape.context() * layout.keyCols() + 4L * queries * layout.queryCols(),
                4L * queries * layout.queryCols(),
                6L * queries * seen(shape, window) * layout.queryCols() / 2,
                Work.Unit.FLOAT32)));
  }

  private static void rows(
      LaunchPlan.Builder plan,
      String where,
      LlamaConfig config,
      StepMemory memory,
      StepShape shape,
      int layer,
      int window,
      int first,
      int count,
      boolean quantised) {
    HeadLayout layout = config.headLayout();
    StepMemory.Input input = memory.input();
    int share = share(layout);
    int d = layout.headDim();
    int heads = layout.heads();
    int context = shape.context();
    int splits = context / StepShape.CONTEXT_MIN;
    long keyBytes = 4L * count * seen(shape, window) * layout.keyCols();
    long scoreBytes = 4L * count * seen(shape, window) * heads;
    long operations = 2L * count * seen(shape, window) * layout.queryCols();
    long list = input.at(input.list());
    long listed = input.at(StepMemory.Input.LISTED);
    plan.add(
        new Launch(
            where + "attention scores",
            "attention_scores",
            count,
            heads / share,
            context / StepMemory.PIECE,
            StepMemory.PIECE,
            Float.BYTES * share * d,
            new Arguments()
                .at(memory.qkv())
                .ints(qkvCols(layout))
                .at(memory.keys().get(layer), input.at(input.tables()))
                .ints(1)
                .at(
                    input.at(input.positions()),
                    input.at(input.sequences()),
                    memory.scores(),
                    memory.maxima(),
                    list,
                    listed)
                .ints(first, heads, layout.kvHeads(), d, share, window, context)
                .real(layout.scoreScale())
                .at(memory.fault())
                .ints(plan.nextFault())
                .list(),
            List.of("attention score"),
            new Work(
                keyBytes + 4L * count * layout.queryCols(),
                scoreBytes,
                operations,
                Work.Unit.FLOAT32)));
    plan.add(
        values(
            where, config, memory, shape, layer, window, new Rows(first, count), ReadAhead.NONE));
    if (quantised) {
      combineQuantised(plan, where, config, memory, shape, window, first, count);
      return;
    }
    plan.add(
        new Launch(
            where + "attention",
            "attention_combine",
            count,
            heads,
            1,
            Math.max(32, Math.min(d, 256) / 32 * 32),
            0,
            new Arguments()
                .at(memory.chains(), input.at(input.positions()), memory.mixed(), list, listed)
                .ints(first, heads, d, splits, window)
                .at(memory.fault())
                .ints(plan.nextFault())
                .list(),
            List.of("attention"),
            Work.moving(4L * count * heads * splits * (d + 1L), 4L * count * layout.queryCols())));
  }

  /// Which of the listed rows a launch covers.
  private record Rows(int first, int count) {}

  /// The chains of one layer's values, row by row.
  ///
  /// @param ahead what multiprocessors without work ask the cache for
  private static Launch values(
      String where,
      LlamaConfig config,
      StepMemory memory,
      StepShape shape,
      int layer,
      int window,
      Rows rows,
      ReadAhead ahead) {
    HeadLayout layout = config.headLayout();
    StepMemory.Input input = memory.input();
    int share = share(layout);
    int splits = shape.context() / StepShape.CONTEXT_MIN;
    long seen = rows.count() * seen(shape, window);
    int parts = LinearLaunch.pieces(layout.headDim(), VALUES_WIDTH);
    int helpers = LinearLaunch.pieces((int) ahead.bytes(), AHEAD_BYTES_PER_BLOCK);
    return new Launch(
        where + "attention values",
        "attention_values",
        rows.count(),
        layout.heads() / share * parts + helpers,
        splits,
        VALUES_THREADS,
        Float.BYTES * StepShape.CONTEXT_MIN * share,
        new Arguments()
            .at(
                memory.scores(),
                memory.maxima(),
                memory.values().get(layer),
                input.at(input.tables()))
            .ints(1)
            .at(
                input.at(input.positions()),
                input.at(input.sequences()),
                memory.chains(),
                input.at(input.list()),
                input.at(StepMemory.Input.LISTED))
            .ints(
                rows.first(),
                layout.heads(),
                layout.kvHeads(),
                layout.headDim(),
                share,
                window,
                shape.context())
            .ahead(ahead)
            .list(),
        List.of(),
        new Work(
            4L * seen * ((long) layout.keyCols() + layout.heads()),
            4L * rows.count() * layout.heads() * splits * (layout.headDim() + 1L),
            2L * seen * layout.queryCols(),
            Work.Unit.FLOAT32));
  }

  /// The scores and chains of the only row of a step: its keys are turned and, with its values,
  /// handed to their page by the launch that computes the scores.
  ///
  /// @param ahead what is read next, for which multiprocessors without work ask the cache
  static void addOne(
      LaunchPlan.Builder plan,
      String where,
      DeviceLlama model,
      StepMemory memory,
      StepShape shape,
      int layer,
      ReadAhead ahead) {
    LlamaConfig config = model.config();
    LayerAttention attention = config.layerAttention().get(layer);
    HeadLayout layout = config.headLayout();
    StepMemory.Input input = memory.input();
    int window = attention.window().orElse(0);
    int share = share(layout);
    int d = layout.headDim();
    long seen = seen(shape, window);
    plan.add(
        new Launch(
            where + "rotation, pages and attention scores",
            "attention_scores_one",
            1,
            layout.heads() / share,
            shape.context() / StepMemory.PIECE,
            StepMemory.PIECE,
            Float.BYTES * (share + 1) * d,
            new Arguments()
                .at(
                    memory.qkv(),
                    input.at(input.tables()),
                    input.at(input.positions()),
                    model.cos(),
                    model.sin(),
                    memory.keys().get(layer),
                    memory.values().get(layer),
                    memory.scores(),
                    memory.maxima())
                .ints(
                    layout.heads(),
                    layout.kvHeads(),
                    d,
                    share,
                    window,
                    shape.context(),
                    attention.rotary() ? 1 : 0)
                .real(layout.scoreScale())
                .at(memory.fault())
                .ints(plan.nextFault())
                .list(),
            List.of("rope", "rope", "attention score"),
            new Work(
                4L * (seen * layout.keyCols() + qkvCols(layout)),
                4L * (seen * layout.heads() + 2L * layout.keyCols()),
                2L * seen * layout.queryCols(),
                Work.Unit.FLOAT32)));
    plan.add(values(where, config, memory, shape, layer, window, new Rows(0, 1), ahead));
  }

  private static void combineQuantised(
      LaunchPlan.Builder plan,
      String where,
      LlamaConfig config,
      StepMemory memory,
      StepShape shape,
      int window,
      int first,
      int count) {
    StepMemory.Input input = memory.input();
    int splits = shape.context() / StepShape.CONTEXT_MIN;
    int pitch = DeviceMatrix.i8Pitch(config.queryCols());
    plan.add(
        new Launch(
            where + "attention",
            "attention_combine_i8",
            count,
            1,
            1,
            QUANTISE_THREADS,
            quantisedSharedBytes(config),
            new Arguments()
                .at(memory.chains(), input.at(input.positions()), memory.rows(), memory.rowScales())
                .ints(pitch)
                .at(input.at(input.list()), input.at(StepMemory.Input.LISTED))
                .ints(first, config.heads(), config.headDim(), splits, window)
                .at(memory.fault())
                .ints(plan.nextFault())
                .list(),
            List.of("attention"),
            Work.moving(
                4L * count * config.heads() * splits * (config.headDim() + 1L),
                (long) count * pitch)));
  }

  private static long seen(StepShape shape, int window) {
    return window > 0 ? Math.min(window, shape.context()) : shape.context();
  }

  private static int qkvCols(HeadLayout layout) {
    return layout.queryCols() + 2 * layout.keyCols();
  }
}

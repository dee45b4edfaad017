package io.rigmesh.worker.cuda;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.bert.BertConfig;
import io.rigmesh.worker.cuda.LinearLaunch.Mode;
import java.util.List;

/// Writes the launches of one pass of a BERT encoder: the same operations in the same order as
/// BertEncoder, those that follow each other on the same numbers joined where that saves a launch.
final class BertPlan {
  private static final int THREADS = 256;
  private static final int QUANTISE_THREADS = 512;
  private static final int ELEMENTS_PER_BLOCK = 1024;
  private static final int TILE_THREADS = 128;

  private final DeviceBert model;
  private final BertConfig config;
  private final BertMemory memory;
  private final BertShape shape;
  private final Architecture architecture;
  private final boolean int8;
  private final LaunchPlan.Builder plan;
  private String where = "";

  private BertPlan(
      DeviceBert model, BertMemory memory, BertShape shape, Architecture architecture) {
    this.model = model;
    this.config = model.config();
    this.memory = memory;
    this.shape = shape;
    this.architecture = architecture;
    this.int8 = model.profile() == Profile.I8_V1;
    this.plan = new LaunchPlan.Builder("pass of " + shape);
  }

  /// The launches of a pass of this shape.
  static LaunchPlan of(
      DeviceBert model, BertMemory memory, BertShape shape, Architecture architecture) {
    return new BertPlan(model, memory, shape, architecture).write();
  }

  /// Whether this device has kernels for a model of these sizes.
  static boolean serves(BertConfig config, Architecture architecture) {
    return AttentionLaunches.tilesServe(config.headLayout().headDim(), architecture);
  }

  private LaunchPlan write() {
    embed();
    for (int index = 0; index < config.layers(); index++) {
      where = "layer " + index + " ";
      DeviceBert.Layer layer = model.layers().get(index);
      linear("query, key and value", layer.qkv(), memory.hidden(), memory.qkv(), Mode.PLAIN);
      attention();
      quantise("attention's result", memory.mixed());
      linear(
          "attention's output",
          layer.attentionOutput(),
          memory.mixed(),
          memory.hidden(),
          Mode.RESIDUAL);
      norm("attention's norm", layer.attentionNorm());
      linear("intermediate", layer.intermediate(), memory.hidden(), memory.inner(), Mode.PLAIN);
      gelu();
      linear("output", layer.output(), memory.inner(), memory.hidden(), Mode.RESIDUAL);
      norm("norm", layer.outputNorm());
    }
    where = "";
    shape.pooled().ifPresent(this::pool);
    return plan.build();
  }

  private long rows() {
    return memory.input().at(BertMemory.Input.ROWS);
  }

  /// Bytes of one binary32 tensor of `cols` columns.
  private long bytes(int cols) {
    return 4L * shape.rows() * cols;
  }

  /// What quantising the result adds to a kernel's name.
  private String suffix() {
    return int8 ? "_i8" : "";
  }

  /// Where a kernel that quantises its result writes it: nothing in f32-v1.
  private Arguments quantised(Arguments arguments, int cols) {
    return int8
        ? arguments.at(memory.rows(), memory.rowScales()).ints(DeviceMatrix.i8Pitch(cols))
        : arguments;
  }

  private long quantisedBytes(int cols) {
    return int8 ? (long) shape.rows() * DeviceMatrix.i8Pitch(cols) : 0;
  }

  private void embed() {
    int width = config.hiddenSize();
    BertMemory.Input input = memory.input();
    Arguments arguments =
        new Arguments()
            .at(
                model.words(),
                model.types(),
                model.positions(),
                input.at(BertMemory.Input.tokens()),
                input.at(BertMemory.Input.positions(shape)),
                model.embeddingNorm().gain(),
                model.embeddingNorm().bias())
            .real(config.layerNormEpsilon())
            .at(memory.hidden());
    byRow(
        "embedding",
        "embedding_norm" + suffix(),
        THREADS,
        quantised(arguments, width).at(rows()).ints(width),
        List.of("addBias", "add", "layerNorm sum of squares", "layerNorm"),
        Work.moving(2 * bytes(width), bytes(width) + quantisedBytes(width)));
  }

  /// hidden = layerNorm(hidden), and in i8-v1 the quantised rows of it.
  private void norm(String what, DeviceBert.Norm norm) {
    int width = config.hiddenSize();
    Arguments arguments =
        new Arguments()
            .at(memory.hidden(), norm.gain(), norm.bias())
            .real(config.layerNormEpsilon())
            .at(memory.hidden());
    byRow(
        what,
        "layer_norm" + suffix(),
        THREADS,
        quantised(arguments, width).at(rows()).ints(width),
        List.of("layerNorm sum of squares", "layerNorm"),
        Work.moving(bytes(width), bytes(width) + quantisedBytes(width)));
  }

  /// inner = gelu(inner), in i8-v1 as quantised rows.
  private void gelu() {
    int inner = config.intermediateSize();
    if (int8) {
      byRow(
          "gelu",
          "gelu_i8",
          QUANTISE_THREADS,
          quantised(new Arguments().at(memory.inner()), inner).at(rows()).ints(inner),
          List.of("gelu"),
          Work.moving(bytes(inner), bytes(inner) + quantisedBytes(inner)));
      return;
    }
    plan.add(
        new Launch(
            where + "gelu",
            "gelu",
            shape.rows(),
            LinearLaunch.pieces(inner, ELEMENTS_PER_BLOCK),
            1,
            THREADS,
            0,
            faults(new Arguments().at(memory.inner(), memory.inner(), rows()).ints(inner)),
            List.of("gelu"),
            Work.moving(bytes(inner), bytes(inner))));
  }

  /// In i8-v1, the rows that the next linear layer reads.
  private void quantise(String what, long x) {
    if (!int8) {
      return;
    }
    int width = config.hiddenSize();
    byRow(
        what,
        "quantise_rows_f32",
        QUANTISE_THREADS,
        quantised(new Arguments().at(x).ints(width), width).at(rows()).ints(width),
        List.of("quantise"),
        Work.moving(bytes(width), quantisedBytes(width)));
  }

  /// A launch of one block for each row.
  private void byRow(
      String what, String entry, int threads, Arguments arguments, List<String> faults, Work work) {
    plan.add(
        new Launch(
            where + what, entry, shape.rows(), 1, 1, threads, 0, faults(arguments), faults, work));
  }

  private List<Argument> faults(Arguments arguments) {
    return arguments.at(memory.fault()).ints(plan.nextFault()).list();
  }

  /// @param x what f32-v1 reads; i8-v1 reads the quantised rows
  private void linear(String what, DeviceBert.Linear layer, long x, long y, Mode mode) {
    plan.add(
        LinearLaunch.of(
            new LinearLaunch.Use(
                where + what,
                layer.weight(),
                layer.bias(),
                int8 ? memory.rows() : x,
                memory.rowScales(),
                y,
                rows(),
                shape.rows(),
                mode),
            architecture,
            memory.fault(),
            plan.nextFault()));
  }

  private void attention() {
    int width = config.hiddenSize();
    int d = config.headLayout().headDim();
    BertMemory.Input input = memory.input();
    // As if the rows were shared out evenly among the sequences; scores are computed twice.
    long keys = LinearLaunch.pieces(shape.rows(), shape.sequences());
    plan.add(
        new Launch(
            where + "attention",
            "attention_spans_" + AttentionLaunches.tileWidth(d),
            shape.tiles(),
            config.heads(),
            1,
            TILE_THREADS,
            AttentionLaunches.sharedBytes(d),
            faults(
                new Arguments()
                    .at(memory.qkv())
                    .ints(3 * width)
                    .at(
                        input.at(BertMemory.Input.tiles(shape)),
                        input.at(BertMemory.Input.TILES),
                        memory.mixed())
                    .ints(config.heads(), d)
                    .real(config.headLayout().scoreScale())),
            List.of("attention score", "attention"),
            new Work(
                3 * bytes(width),
                bytes(width),
                6L * shape.rows() * keys * width,
                Work.Unit.FLOAT32)));
  }

  private void pool(BertShape.Pooled pooled) {
    int width = config.hiddenSize();
    BertMemory.Input input = memory.input();
    int mode =
        switch (pooled.pooling()) {
          case MEAN -> 0;
          case CLS -> 1;
          case LAST_TOKEN -> 2;
        };
    plan.add(
        new Launch(
            "pooling",
            "pool",
            shape.sequences(),
            1,
            1,
            THREADS,
            0,
            faults(
                new Arguments()
                    .at(
                        memory.hidden(),
                        input.at(BertMemory.Input.spans(shape)),
                        memory.vectors(),
                        input.at(BertMemory.Input.SEQUENCES))
                    .ints(width, mode, pooled.normalized() ? 1 : 0)),
            List.of("laneSumOfSquares", "embedding"),
            Work.moving(bytes(width), 4L * shape.sequences() * width)));
  }
}

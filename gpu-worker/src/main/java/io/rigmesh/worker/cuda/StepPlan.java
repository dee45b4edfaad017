package io.rigmesh.worker.cuda;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.cuda.LinearLaunch.Mode;
import io.rigmesh.worker.llama.LayerAttention;
import io.rigmesh.worker.llama.LlamaConfig;
import java.util.List;
import java.util.Locale;

/// Writes the launches of one step of a model: the same operations in the same order as
/// CpuStepRunner, those that follow each other on the same numbers joined where that saves a
/// launch.
final class StepPlan {
  private static final int THREADS = 256;
  private static final int QUANTISE_THREADS = 512;
  private static final int ELEMENTS_PER_BLOCK = 1024;
  private static final int ARGMAX_PIECES = 64;

  private final DeviceLlama model;
  private final LlamaConfig config;
  private final StepMemory memory;
  private final StepShape shape;
  private final Architecture architecture;
  private final boolean int8;
  private final LaunchPlan.Builder plan;
  private String where = "";

  private StepPlan(
      DeviceLlama model, StepMemory memory, StepShape shape, Architecture architecture) {
    this.model = model;
    this.config = model.config();
    this.memory = memory;
    this.shape = shape;
    this.architecture = architecture;
    this.int8 = model.profile() == Profile.I8_V1;
    this.plan = new LaunchPlan.Builder("step of " + shape);
  }

  /// The launches of a step of this shape.
  static LaunchPlan of(
      DeviceLlama model, StepMemory memory, StepShape shape, Architecture architecture) {
    return new StepPlan(model, memory, shape, architecture).write();
  }

  private LaunchPlan write() {
    embed();
    if (OneRowPlan.serves(config, model.profile(), memory.limits(), shape)) {
      new OneRowPlan(model, memory, shape, architecture, plan).write();
      return plan.build();
    }
    for (int index = 0; index < config.layers(); index++) {
      where = "layer " + index + " ";
      attend(index, model.layers().get(index));
      feedForward(model.layers().get(index));
    }
    where = "";
    if (shape.outputs() > 0) {
      finish();
    }
    return plan.build();
  }

  private long rows() {
    return memory.input().at(StepMemory.Input.ROWS);
  }

  private long outputs() {
    return memory.input().at(StepMemory.Input.OUTPUTS);
  }

  private void embed() {
    StepMemory.Input input = memory.input();
    int width = config.hiddenSize();
    long elements = (long) shape.rows() * width;
    plan.add(
        new Launch(
            "embedding",
            "embedding_" + model.embeddingType().name().toLowerCase(Locale.ROOT),
            shape.rows(),
            LinearLaunch.pieces(width, ELEMENTS_PER_BLOCK),
            1,
            THREADS,
            0,
            new Arguments()
                .at(model.embedding(), input.at(input.tokens()), memory.residual(), rows())
                .ints(width)
                .list(),
            List.of(),
            Work.moving(elements * model.embeddingType().bytes(), 4 * elements)));
  }

  /// residual += output projection of attention over the norm of residual.
  private void attend(int index, DeviceLlama.Layer layer) {
    LayerAttention attention = config.layerAttention().get(index);
    norm("attention norm", memory.residual(), layer.attentionNorm());
    linear("query, key and value", layer.qkv(), layer.qkvBias(), memory.qkv(), Mode.PLAIN);
    NormLaunch.heads(config, layer, memory, shape, where).forEach(this::rmsNorm);
    ropeAndStore(index, attention.rotary());
    boolean quantised = AttentionLaunches.quantises(config, model.profile(), shape);
    AttentionLaunches.add(
        plan, where, config, memory, shape, index, attention.window().orElse(0), quantised);
    if (!quantised) {
      quantise("attention's result", memory.mixed(), config.queryCols(), rows(), shape.rows());
    }
    linear(
        "output",
        layer.output(),
        layer.outputBias(),
        memory.residual(),
        Mode.RESIDUAL,
        memory.mixed());
  }

  /// residual += SwiGLU block over the norm of residual.
  private void feedForward(DeviceLlama.Layer layer) {
    norm("feed-forward norm", memory.residual(), layer.feedForwardNorm());
    if (int8) {
      linear("gate and up", layer.gateUp(), 0, memory.inner(), Mode.SWIGLU);
    } else {
      linear("gate and up", layer.gateUp(), 0, memory.gateUp(), Mode.PLAIN);
      swiglu();
    }
    quantise("swiglu's result", memory.inner(), config.feedForwardSize(), rows(), shape.rows());
    linear("down", layer.down(), 0, memory.residual(), Mode.RESIDUAL, memory.inner());
  }

  private void finish() {
    finalNorm();
    if (!memory.limits().logits()) {
      return;
    }
    plan.add(
        LinearLaunch.of(
            new LinearLaunch.Use(
                "head",
                model.head(),
                0,
                int8 ? memory.rows() : memory.hidden(),
                memory.rowScales(),
                memory.logits(),
                outputs(),
                shape.outputs(),
                Mode.PLAIN),
            architecture,
            memory.fault(),
            plan.nextFault()));
    argmax();
  }

  /// hidden = the norm of the rows that want a result, in i8-v1 quantised for the head beside it.
  private void finalNorm() {
    StepMemory.Input input = memory.input();
    int width = config.hiddenSize();
    long bytes = 4L * shape.outputs() * width;
    Arguments arguments =
        new Arguments()
            .at(memory.residual(), input.at(input.outputRows()), model.finalNorm())
            .real(config.normEpsilon())
            .at(memory.hidden());
    if (int8) {
      arguments.at(memory.rows(), memory.rowScales()).ints(DeviceMatrix.i8Pitch(width));
    }
    plan.add(
        new Launch(
            "final norm",
            int8 ? "rms_norm_listed_i8" : "rms_norm_listed",
            shape.outputs(),
            1,
            1,
            THREADS,
            0,
            arguments
                .at(memory.limits().logits() ? memory.best() : 0, outputs())
                .ints(width)
                .at(memory.fault())
                .ints(plan.nextFault())
                .list(),
            List.of("rmsNorm sum of squares", "rmsNorm"),
            Work.moving(
                bytes,
                int8 ? bytes + (long) shape.outputs() * DeviceMatrix.i8Pitch(width) : bytes)));
  }

  /// The norm in front of a linear layer; in i8-v1 it ends in the quantised row.
  private void norm(String what, long x, long gain) {
    int width = config.hiddenSize();
    if (!int8) {
      rmsNorm(
          new NormLaunch.Use(
              where + what, x, width, gain, memory.rows(), rows(), shape.rows(), 1, width));
      return;
    }
    int pitch = DeviceMatrix.i8Pitch(width);
    plan.add(
        new Launch(
            where + what,
            "rms_norm_i8",
            shape.rows(),
            1,
            1,
            THREADS,
            0,
            new Arguments()
                .at(x)
                .ints(width)
                .at(gain)
                .real(config.normEpsilon())
                .at(memory.rows(), memory.rowScales())
                .ints(pitch)
                .at(rows())
                .ints(width)
                .at(memory.fault())
                .ints(plan.nextFault())
                .list(),
            List.of("rmsNorm sum of squares", "rmsNorm"),
            Work.moving(4L * shape.rows() * width, (long) shape.rows() * pitch)));
  }

  private void rmsNorm(NormLaunch.Use use) {
    plan.add(NormLaunch.of(use, config.normEpsilon(), memory.fault(), plan.nextFault()));
  }

  /// In i8-v1, the rows that the next linear layer reads; f32-v1 reads x itself.
  private void quantise(String what, long x, int cols, long rows, int rowsMax) {
    if (!int8) {
      return;
    }
    int pitch = DeviceMatrix.i8Pitch(cols);
    plan.add(
        new Launch(
            where + what,
            "quantise_rows_f32",
            rowsMax,
            1,
            1,
            QUANTISE_THREADS,
            0,
            new Arguments()
                .at(x)
                .ints(cols)
                .at(memory.rows(), memory.rowScales())
                .ints(pitch)
                .at(rows)
                .ints(cols)
                .at(memory.fault())
                .ints(plan.nextFault())
                .list(),
            List.of("quantise"),
            Work.moving(4L * rowsMax * cols, (long) rowsMax * pitch)));
  }

  private void linear(String what, DeviceMatrix weight, long bias, long y, Mode mode) {
    linear(what, weight, bias, y, mode, memory.rows());
  }

  /// @param x what f32-v1 reads; i8-v1 reads the quantised rows
  private void linear(String what, DeviceMatrix weight, long bias, long y, Mode mode, long x) {
    plan.add(
        LinearLaunch.of(
            new LinearLaunch.Use(
                where + what,
                weight,
                bias,
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

  private void ropeAndStore(int index, boolean rotary) {
    StepMemory.Input input = memory.input();
    int heads = config.heads() + 2 * config.kvHeads();
    long bytes = 4L * shape.rows() * heads * config.headDim();
    // A cosine and a sine for each pair of a head's elements.
    long angles = rotary ? 4L * shape.rows() * config.headDim() : 0;
    plan.add(
        new Launch(
            where + "rotation and pages",
            "rope_store",
            shape.rows(),
            heads,
            1,
            Math.max(32, Math.min(config.headDim() / 2, THREADS) / 32 * 32),
            0,
            new Arguments()
                .at(
                    memory.qkv(),
                    input.at(input.positions()),
                    input.at(input.sequences()),
                    input.at(input.tables()))
                .ints(1)
                .at(
                    model.cos(),
                    model.sin(),
                    memory.keys().get(index),
                    memory.values().get(index),
                    rows())
                .ints(config.heads(), config.kvHeads(), config.headDim(), rotary ? 1 : 0)
                .at(memory.fault())
                .ints(plan.nextFault())
                .list(),
            List.of("rope", "rope"),
            Work.moving(bytes + angles, bytes)));
  }

  private void swiglu() {
    int inner = config.feedForwardSize();
    plan.add(
        new Launch(
            where + "swiglu",
            "swiglu_halves",
            shape.rows(),
            LinearLaunch.pieces(inner, ELEMENTS_PER_BLOCK),
            1,
            THREADS,
            0,
            new Arguments()
                .at(memory.gateUp(), memory.inner(), rows())
                .ints(inner)
                .at(memory.fault())
                .ints(plan.nextFault())
                .list(),
            List.of("swiglu"),
            Work.moving(8L * shape.rows() * inner, 4L * shape.rows() * inner)));
  }

  private void argmax() {
    int pieces =
        Math.clamp(
            LinearLaunch.pieces(config.vocabularySize(), ELEMENTS_PER_BLOCK), 1, ARGMAX_PIECES);
    plan.add(
        new Launch(
            "argmax",
            "argmax",
            shape.outputs(),
            pieces,
            1,
            THREADS,
            0,
            new Arguments()
                .at(memory.logits(), memory.best(), outputs())
                .ints(config.vocabularySize())
                .list(),
            List.of(),
            Work.moving(4L * shape.outputs() * config.vocabularySize(), 8L * shape.outputs())));
  }
}

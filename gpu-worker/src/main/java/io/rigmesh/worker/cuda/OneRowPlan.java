package io.rigmesh.worker.cuda;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.cuda.LinearLaunch.Mode;
import io.rigmesh.worker.llama.LlamaConfig;
import java.util.List;

/// Writes what follows the embedding in a step of one row in i8-v1, which a decode of one sequence
/// is: six launches a layer and one for the head. There a launch costs more than the arithmetic
/// between two products, so every block of a product makes the row that it reads; the same
/// operations with the same bits as [StepPlan] writes for any step.
final class OneRowPlan {
  private static final int THREADS = 256;
  private static final int WARPS = THREADS / 32;

  /// What the product kernels declare themselves.
  private static final int SHARED_BYTES_OWN = 2048;

  private final DeviceLlama model;
  private final LlamaConfig config;
  private final StepMemory memory;
  private final StepShape shape;
  private final Architecture architecture;
  private final LaunchPlan.Builder plan;
  private String where = "";

  OneRowPlan(
      DeviceLlama model,
      StepMemory memory,
      StepShape shape,
      Architecture architecture,
      LaunchPlan.Builder plan) {
    this.model = model;
    this.config = model.config();
    this.memory = memory;
    this.shape = shape;
    this.architecture = architecture;
    this.plan = plan;
  }

  /// Whether a step is of this kind: one row that wants its logits, with few splits of keys, and
  /// rows that fit in the shared memory that every device has.
  static boolean serves(
      LlamaConfig config, Profile profile, StepMemory.Limits limits, StepShape shape) {
    int widest = Math.max(config.hiddenSize(), config.feedForwardSize());
    int attention =
        DeviceMatrix.i8Pitch(config.queryCols()) + AttentionLaunches.quantisedSharedBytes(config);
    int bytes = Math.max(DeviceMatrix.i8Pitch(widest), attention);
    return shape.rows() == 1
        && shape.listed() == 1
        && shape.outputs() == 1
        && limits.logits()
        && AttentionLaunches.quantises(config, profile, shape)
        && bytes <= CudaModules.SHARED_BYTES_PLAIN - SHARED_BYTES_OWN;
  }

  /// Adds the launches.
  void write() {
    for (int index = 0; index < config.layers(); index++) {
      where = "layer " + index + " ";
      layer(index, model.layers().get(index));
    }
    where = "";
    norm(
        "norm and head",
        model.finalNorm(),
        memory.hidden(),
        new Product(model.head(), 0, memory.logits(), Mode.PLAIN, ReadAhead.NONE),
        memory.best());
  }

  private void layer(int index, DeviceLlama.Layer layer) {
    boolean last = index + 1 == config.layers();
    DeviceMatrix next = last ? model.head() : model.layers().get(index + 1).qkv();
    DeviceMatrix output = layer.output();
    DeviceMatrix gateUp = layer.gateUp();
    // Attention reads little and takes long: meanwhile the weights behind it come to the cache. The
    // output's and those of gates and ups lie one behind the other.
    ReadAhead afterAttention =
        ReadAhead.between(output.address(), gateUp.addressEnd(), architecture.readAheadBytes());
    long fetched = output.address() + afterAttention.bytes();
    norm(
        "norm, query, key and value",
        layer.attentionNorm(),
        0,
        new Product(layer.qkv(), layer.qkvBias(), memory.qkv(), Mode.PLAIN, ReadAhead.NONE),
        0);
    NormLaunch.heads(config, layer, memory, shape, where)
        .forEach(use ->
            plan.add(NormLaunch.of(use, config.normEpsilon(), memory.fault(), plan.nextFault())));
    AttentionLaunches.addOne(plan, where, model, memory, shape, index, afterAttention);
    attention(
        new Product(
            output,
            layer.outputBias(),
            memory.residual(),
            Mode.RESIDUAL,
            ReadAhead.between(
                Math.max(gateUp.address(), fetched), gateUp.addressEnd(), gapBytes())),
        config.layerAttention().get(index).window().orElse(0));
    norm(
        "norm, gate and up",
        layer.feedForwardNorm(),
        0,
        new Product(gateUp, 0, memory.inner(), Mode.SWIGLU, ReadAhead.of(layer.down(), gapBytes())),
        memory.largest());
    plain(
        new Product(
            layer.down(), 0, memory.residual(), Mode.RESIDUAL, ReadAhead.of(next, gapBytes())),
        last ? memory.best() : 0);
  }

  /// What the memory brings while one launch ends and the next begins.
  private long gapBytes() {
    return architecture.readAheadBytes() / 4;
  }

  /// A product.
  ///
  /// @param weight the matrix
  /// @param bias `(columns)` binary32, or 0
  /// @param y where the result goes; with RESIDUAL also what is added
  /// @param ahead what the next launch reads
  private record Product(DeviceMatrix weight, long bias, long y, Mode mode, ReadAhead ahead) {
    int columnsOut() {
      return mode == Mode.SWIGLU ? weight.columns() / 2 : weight.columns();
    }
  }

  /// @param normed where the normed row goes as it is, or 0
  /// @param largest the word that is raised to the largest of the results, or 0
  private void norm(String what, long gain, long normed, Product product, long largest) {
    DeviceMatrix w = product.weight();
    add(
        what,
        "norm",
        product,
        0,
        new Arguments()
            .at(memory.residual(), gain)
            .real(config.normEpsilon())
            .at(normed)
            .ints(config.hiddenSize())
            .at(w.address(), w.scales(), product.bias(), product.y())
            .ints(w.columns(), w.pitch(), product.mode().number())
            .at(largest),
        List.of(
            "rmsNorm sum of squares",
            "rmsNorm",
            "linear",
            "addBias",
            product.mode() == Mode.SWIGLU ? "swiglu" : "add"),
        4L * config.hiddenSize());
  }

  /// Adds up attention's splits, which makes the row; the word of the largest magnitude is cleared
  /// for what follows.
  private void attention(Product product, int window) {
    DeviceMatrix w = product.weight();
    int splits = shape.context() / StepShape.CONTEXT_MIN;
    add(
        "attention and output",
        "attention",
        product,
        AttentionLaunches.quantisedSharedBytes(config),
        new Arguments()
            .at(memory.chains(), memory.input().at(memory.input().positions()))
            .ints(config.heads(), config.headDim(), splits, window)
            .at(w.address(), w.scales(), product.bias(), product.y())
            .ints(w.columns(), w.pitch())
            .at(memory.largest()),
        List.of("attention", "linear", "addBias", "add"),
        4L * config.heads() * splits * (config.headDim() + 1L));
  }

  /// @param clear the word that becomes 0, or 0
  private void plain(Product product, long clear) {
    DeviceMatrix w = product.weight();
    add(
        "down",
        "plain",
        product,
        0,
        new Arguments()
            .at(memory.inner(), memory.largest())
            .ints(config.feedForwardSize())
            .at(w.address(), w.scales(), product.bias(), product.y())
            .ints(w.columns(), w.pitch())
            .at(clear),
        List.of("linear", "addBias", "add"),
        4L * config.feedForwardSize());
  }

  /// @param arguments up to what is read ahead
  /// @param inputBytes of what the row is made from
  private void add(
      String what,
      String source,
      Product product,
      int sharedBytes,
      Arguments arguments,
      List<String> faults,
      long inputBytes) {
    DeviceMatrix w = product.weight();
    int rows = rowsOfAWarp(w);
    long outputBytes = 4L * product.columnsOut();
    plan.add(
        new Launch(
            where + what,
            "linear_i8_row_%s_%d".formatted(source, rows),
            LinearLaunch.pieces(w.columns(), WARPS * rows),
            1,
            1,
            THREADS,
            w.pitch() + sharedBytes,
            arguments.ahead(product.ahead()).at(memory.fault()).ints(plan.nextFault()).list(),
            faults,
            new Work(
                w.bytes() + inputBytes + (product.mode() == Mode.RESIDUAL ? outputBytes : 0),
                outputBytes,
                2L * w.columns() * w.depth(),
                Work.Unit.INT8)));
  }

  /// Four rows of a weight, unless that leaves more than a quarter of the multiprocessors without a
  /// block.
  private int rowsOfAWarp(DeviceMatrix weight) {
    int blocks = LinearLaunch.pieces(weight.columns(), WARPS * 4);
    return 4 * blocks >= 3 * architecture.multiprocessors() ? 4 : 2;
  }
}

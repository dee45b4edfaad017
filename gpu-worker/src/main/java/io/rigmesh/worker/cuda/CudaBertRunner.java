package io.rigmesh.worker.cuda;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.bert.BertConfig;
import io.rigmesh.worker.bert.BertWeights;
import io.rigmesh.worker.embed.BertRunner;
import io.rigmesh.worker.embed.Pooling;
import io.rigmesh.worker.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Runs a BERT encoder on a CUDA device. Its twin on the host is CpuBertRunner, with the same bits.
///
/// All device memory is taken when the model is loaded. Passes run as recorded graphs, one for each
/// [BertShape]; nothing but the vectors that were asked for is copied back.
public final class CudaBertRunner implements BertRunner {
  private static final Logger LOG = LoggerFactory.getLogger(CudaBertRunner.class);

  private final Accelerator device;
  private final BertConfig config;
  private final long arena;
  private final DeviceBert model;
  private final BertMemory memory;
  private final Map<BertShape, Prepared> prepared = new HashMap<>();
  private final int[] words;

  private record Prepared(LaunchPlan plan, Accelerator.Recording recording) {}

  /// Everything that lies on the device.
  private record Layout(DeviceBert model, BertMemory memory, WeightUpload.Staging staging) {
    static Layout take(
        Arena arena, BertConfig config, Profile profile, int rowsMax, long stagingBytes) {
      return new Layout(
          DeviceBert.take(arena, config, profile),
          BertMemory.take(arena, config, profile, rowsMax),
          WeightUpload.Staging.take(arena, stagingBytes));
    }
  }

  /// What fills a model's memory.
  @FunctionalInterface
  interface Filling {
    void fill(DeviceBert model, long fault, WeightUpload.Staging staging);
  }

  /// Whether a device has kernels for a model of these sizes.
  public static boolean serves(BertConfig config, Architecture architecture) {
    return BertPlan.serves(config, architecture);
  }

  /// Loads a model.
  ///
  /// @param device what runs it; it stays the caller's to close, after this
  /// @param weights what is loaded; it can be closed afterwards
  /// @param rowsMax the most tokens of one pass
  /// @throws CudaException when the device has too little memory
  public CudaBertRunner(
      Accelerator device,
      BertWeights weights,
      Profile profile,
      int rowsMax,
      LoadProgress progress) {
    this(
        device,
        weights.config(),
        profile,
        rowsMax,
        WeightUpload.Staging.bytesFor(weights.named().values()),
        (model, fault, staging) ->
            WeightLoader.load(
                new WeightUpload(device, fault, staging, weights.bytes(), progress),
                weights,
                model));
  }

  /// As the public one, for weights from anywhere.
  CudaBertRunner(
      Accelerator device,
      BertConfig config,
      Profile profile,
      int rowsMax,
      long stagingBytes,
      Filling filling) {
    this.device = device;
    this.config = config;
    long bytes = bytes(config, profile, rowsMax, stagingBytes);
    long free = device.memoryFreeBytes();
    if (bytes > free) {
      throw new CudaException(
          "%s has %d MiB of memory free, and this encoder in %s with %d tokens in a pass takes %d MiB. End what else uses it."
              .formatted(device.name(), free >> 20, profile.id(), rowsMax, bytes >> 20));
    }
    this.arena = device.allocate(bytes);
    Layout layout = Layout.take(new Arena(arena, bytes), config, profile, rowsMax, stagingBytes);
    this.model = layout.model();
    this.memory = layout.memory();
    this.words = new int[BertMemory.Input.words(BertShape.largest(rowsMax))];
    boolean filled = false;
    try {
      clearFault();
      filling.fill(model, memory.fault(), layout.staging());
      filled = true;
    } finally {
      if (!filled) {
        device.free(arena);
      }
    }
    LOG.info(
        "loaded a BERT encoder of {} layers in {} on {}: {} MiB, {} tokens in a pass",
        config.layers(),
        profile.id(),
        device.name(),
        bytes >> 20,
        rowsMax);
  }

  private static long bytes(BertConfig config, Profile profile, int rowsMax, long stagingBytes) {
    Arena arena = Arena.measuring();
    Layout.take(arena, config, profile, rowsMax, stagingBytes);
    return arena.used();
  }

  /// How many bytes of device memory a runner takes.
  public static long bytes(BertWeights weights, Profile profile, int rowsMax) {
    return bytes(
        weights.config(),
        profile,
        rowsMax,
        WeightUpload.Staging.bytesFor(weights.named().values()));
  }

  /// The plan of a pass, for counting what it costs without a device.
  static LaunchPlan plan(
      BertConfig config, Profile profile, BertShape shape, Architecture architecture) {
    Layout layout = Layout.take(Arena.measuring(), config, profile, shape.rows(), 1);
    return BertPlan.of(layout.model(), layout.memory(), shape, architecture);
  }

  @Override
  public BertConfig config() {
    return config;
  }

  @Override
  public int rowsMax() {
    return memory.rowsMax();
  }

  @Override
  public Tensor encode(int[] ids, int[] lengths) {
    LaunchPlan plan = run(ids, lengths, Optional.empty());
    long[] word = new long[1];
    device.read(memory.fault(), MemorySegment.ofArray(word));
    check(plan, word[0]);
    Tensor hidden = Tensor.zeros(ids.length, config.hiddenSize());
    device.read(memory.hidden(), MemorySegment.ofArray(hidden.data()));
    return hidden;
  }

  @Override
  public Tensor pooled(int[] ids, int[] lengths, Pooling pooling, boolean normalized) {
    LaunchPlan plan = run(ids, lengths, Optional.of(new BertShape.Pooled(pooling, normalized)));
    int before = BertMemory.VECTORS_AT / Float.BYTES;
    float[] results = new float[before + lengths.length * config.hiddenSize()];
    MemorySegment segment = MemorySegment.ofArray(results);
    device.read(memory.results(), segment);
    check(plan, segment.get(ValueLayout.JAVA_LONG_UNALIGNED, 0));
    return Tensor.of(
        Arrays.copyOfRange(results, before, results.length), lengths.length, config.hiddenSize());
  }

  private LaunchPlan run(int[] ids, int[] lengths, Optional<BertShape.Pooled> pooled) {
    config.checkPass(ids, lengths, rowsMax());
    BertShape shape = BertShape.of(ids.length, lengths.length, rowsMax(), pooled);
    device.write(memory.input().address(), input(ids, lengths, shape));
    Prepared known = prepared.computeIfAbsent(shape, this::prepare);
    known.recording().replay();
    return known.plan();
  }

  private Prepared prepare(BertShape shape) {
    LaunchPlan plan = BertPlan.of(model, memory, shape, device.architecture());
    LOG.debug("recording {} with {} launches", plan.name(), plan.launches().size());
    return new Prepared(plan, device.record(plan));
  }

  /// The words that a pass begins with, valid until the next call.
  private MemorySegment input(int[] ids, int[] lengths, BertShape shape) {
    System.arraycopy(ids, 0, words, BertMemory.Input.tokens(), ids.length);
    int tiles = 0;
    int row = 0;
    for (int i = 0; i < lengths.length; i++) {
      int length = lengths[i];
      for (int position = 0; position < length; position++) {
        words[BertMemory.Input.positions(shape) + row + position] = position;
      }
      words[BertMemory.Input.spans(shape) + 2 * i] = row;
      words[BertMemory.Input.spans(shape) + 2 * i + 1] = length;
      for (int first = 0; first < length; first += AttentionLaunches.TILE_LINES) {
        int at = BertMemory.Input.tiles(shape) + 4 * tiles++;
        words[at] = row + first;
        words[at + 1] = Math.min(AttentionLaunches.TILE_LINES, length - first);
        words[at + 2] = row;
        words[at + 3] = length;
      }
      row += length;
    }
    words[BertMemory.Input.ROWS] = ids.length;
    words[BertMemory.Input.SEQUENCES] = lengths.length;
    words[BertMemory.Input.TILES] = tiles;
    return MemorySegment.ofArray(words)
        .asSlice(0, (long) Integer.BYTES * BertMemory.Input.words(shape));
  }

  private void check(LaunchPlan plan, long word) {
    if (word != LaunchPlan.NO_FAULT) {
      clearFault();
      plan.check(word);
    }
  }

  private void clearFault() {
    device.write(memory.fault(), MemorySegment.ofArray(new long[] {LaunchPlan.NO_FAULT}));
  }

  /// Gives the memory and the recorded graphs back.
  @Override
  public void close() {
    prepared.values().forEach(known -> known.recording().close());
    prepared.clear();
    device.free(arena);
  }
}

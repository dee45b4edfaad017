package io.rigmesh.worker.cuda;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.format.ElementType;
import io.rigmesh.worker.kernels.KeyValuePages;
import io.rigmesh.worker.llama.LlamaConfig;
import io.rigmesh.worker.llama.LlamaWeights;
import io.rigmesh.worker.serve.Draw;
import io.rigmesh.worker.serve.EngineLimits;
import io.rigmesh.worker.serve.Segment;
import io.rigmesh.worker.serve.Step;
import io.rigmesh.worker.serve.StepOutput;
import io.rigmesh.worker.serve.StepRunner;
import io.rigmesh.worker.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Runs steps on a CUDA device. Its twin on the host is CpuStepRunner, with the same bits.
///
/// All device memory is taken at once when the model is loaded. Decodes run as recorded graphs, one
/// for each shape of [StepShape#decode]; other steps launch kernel by kernel. Every step ends with
/// one copy of its fault word, its likeliest tokens and its hidden states, so a result that
/// overflows is an error of that step.
public final class CudaStepRunner implements StepRunner {
  private static final Logger LOG = LoggerFactory.getLogger(CudaStepRunner.class);

  private static final ValueLayout.OfLong WORD =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final int PAGES_MIN = 8;
  private static final int PAGES_MAX = 1 << 24;

  /// How many rows of logits a recomputation gets at once; it bounds memory and changes no bit.
  private static final int OUTPUTS = 64;

  private final Accelerator device;
  private final LlamaConfig config;
  private final Profile profile;
  private final long arena;
  private final DeviceLlama model;
  private final StepMemory memory;
  private final StepInput input;
  private final SamplingMemory samplingMemory;
  private final SamplingInput samplingInput;
  private final Map<StepShape, Prepared> prepared = new HashMap<>();
  private final Map<SamplingPlan.Shape, Accelerator.Recording> samplings = new HashMap<>();
  private final byte[] landing; // results and hidden states, as they lie on the device
  private final Tensor hidden; // (outputsMax, D)
  private final Tensor logits; // (outputsMax, V)

  /// Sizes of what a runner takes memory for.
  ///
  /// @param pages how many pages of keys and values
  /// @param rowsMax the most rows of a step
  /// @param outputsMax the most rows of a step that want a result
  /// @param logits whether logits, and tokens, can be asked for
  public record Sizes(int pages, int rowsMax, int outputsMax, boolean logits) {
    /// Refuses sizes under which nothing runs.
    public Sizes {
      if (pages < 1 || rowsMax < 1 || outputsMax < 1 || outputsMax > rowsMax) {
        throw new IllegalArgumentException(
            "A runner has at least one page, row and output and no more outputs than rows: %d, %d, %d."
                .formatted(pages, rowsMax, outputsMax));
      }
    }

    /// With logits.
    public Sizes(int pages, int rowsMax, int outputsMax) {
      this(pages, rowsMax, outputsMax, true);
    }

    /// For hidden states alone, which every row may want; the head does not run.
    public static Sizes forStates(int pages, int rowsMax) {
      return new Sizes(pages, rowsMax, rowsMax, false);
    }
  }

  private record Prepared(LaunchPlan plan, Accelerator.Recording recording) {}

  /// What fills a model's memory.
  @FunctionalInterface
  interface Filling {
    void fill(DeviceLlama model, StepMemory memory, WeightUpload.Staging staging);
  }

  /// Everything that lies on the device.
  private record Layout(
      DeviceLlama model, StepMemory memory, SamplingMemory sampling, WeightUpload.Staging staging) {
    static Layout take(
        Arena arena, LlamaConfig config, Profile profile, Sizes sizes, Source source) {
      int positions =
          (int) Math.min(config.positionsMax(), (long) sizes.pages() * KeyValuePages.PAGE);
      DeviceLlama model = DeviceLlama.take(arena, config, profile, source.embedding(), positions);
      StepMemory memory =
          StepMemory.take(
              arena,
              config,
              profile,
              new StepMemory.Limits(
                  sizes.pages(), sizes.rowsMax(), sizes.outputsMax(), positions, sizes.logits()));
      return new Layout(
          model,
          memory,
          SamplingMemory.take(
              arena, config.vocabularySize(), sizes.logits() ? sizes.outputsMax() : 0),
          WeightUpload.Staging.take(arena, source.stagingBytes()));
    }
  }

  /// What the layout must know of where weights come from.
  ///
  /// @param embedding how the embedding table's elements are stored
  /// @param stagingBytes how much device memory they pass through
  record Source(ElementType embedding, long stagingBytes) {
    static Source of(LlamaWeights weights) {
      return new Source(
          weights.embedding().type(), WeightUpload.Staging.bytesFor(weights.named().values()));
    }
  }

  /// Loads a model.
  ///
  /// @param device what runs it; it stays the caller's to close, after this
  /// @param weights what is loaded; it can be closed afterwards
  /// @throws CudaException when the device has too little memory
  public CudaStepRunner(
      Accelerator device,
      LlamaWeights weights,
      Profile profile,
      Sizes sizes,
      LoadProgress progress) {
    this(
        device,
        weights.config(),
        profile,
        sizes,
        Source.of(weights),
        (model, memory, staging) ->
            WeightLoader.load(
                new WeightUpload(device, memory.fault(), staging, weights.bytes(), progress),
                weights,
                model));
  }

  /// As the public one, for weights from anywhere.
  CudaStepRunner(
      Accelerator device,
      LlamaConfig config,
      Profile profile,
      Sizes sizes,
      Source source,
      Filling filling) {
    this.device = device;
    this.config = config;
    this.profile = profile;
    long bytes = bytes(config, profile, sizes, source);
    long free = device.memoryFreeBytes();
    if (bytes > free) {
      throw new CudaException(
          "%s has %d MiB of memory free, and this model in %s with %d pages takes %d MiB. Choose a smaller model, fewer pages, or i8-v1."
              .formatted(device.name(), free >> 20, profile.id(), sizes.pages(), bytes >> 20));
    }
    this.arena = device.allocate(bytes);
    Layout layout = Layout.take(new Arena(arena, bytes), config, profile, sizes, source);
    this.model = layout.model();
    this.memory = layout.memory();
    this.samplingMemory = layout.sampling();
    this.samplingInput = new SamplingInput(samplingMemory);
    boolean filled = false;
    try {
      device.write(memory.fault(), MemorySegment.ofArray(new long[] {LaunchPlan.NO_FAULT}));
      filling.fill(model, memory, layout.staging());
      filled = true;
    } finally {
      if (!filled) {
        device.free(arena);
      }
    }
    this.input = new StepInput(memory.input(), config.headLayout(), device.architecture());
    this.landing = new byte[Math.toIntExact(landingBytes(sizes.outputsMax()))];
    this.hidden = Tensor.zeros(sizes.outputsMax(), config.hiddenSize());
    this.logits = Tensor.zeros(sizes.logits() ? sizes.outputsMax() : 1, config.vocabularySize());
    LOG.info(
        "loaded a model of {} parameters in {} on {}: {} MiB, {} pages",
        config.parameterCount(),
        profile.id(),
        device.name(),
        bytes >> 20,
        sizes.pages());
  }

  /// Loads a model with as many pages as nine tenths of the device's free memory hold: the rest is
  /// for the driver, which takes some for every graph and kernel. At most what all sequences can
  /// need.
  ///
  /// @throws CudaException when the device has too little memory
  public static CudaStepRunner load(
      Accelerator device,
      LlamaWeights weights,
      Profile profile,
      EngineLimits limits,
      LoadProgress progress) {
    int rowsMax = limits.stepRowsMax();
    int outputsMax = Math.min(rowsMax, Math.max(limits.sequencesMax(), OUTPUTS));
    long wanted =
        (long) limits.sequencesMax() * KeyValuePages.pagesFor(weights.config().positionsMax());
    int pages =
        pagesFor(
            weights,
            profile,
            rowsMax,
            outputsMax,
            device.memoryFreeBytes() / 10 * 9,
            PAGES_MIN,
            (int) Math.min(wanted, PAGES_MAX));
    return new CudaStepRunner(
        device, weights, profile, new Sizes(pages, rowsMax, outputsMax), progress);
  }

  /// How many bytes of device memory a runner takes.
  public static long bytes(LlamaWeights weights, Profile profile, Sizes sizes) {
    return bytes(weights.config(), profile, sizes, Source.of(weights));
  }

  static long bytes(LlamaConfig config, Profile profile, Sizes sizes, Source source) {
    Arena arena = Arena.measuring();
    Layout layout = Layout.take(arena, config, profile, sizes, source);
    LOG.trace("{} pages take {} bytes", layout.memory().limits().pages(), arena.used());
    return arena.used();
  }

  /// The plan of a step of a shape, for counting what it costs without a device.
  static LaunchPlan plan(
      LlamaConfig config,
      Profile profile,
      Sizes sizes,
      StepShape shape,
      Architecture architecture) {
    Layout layout =
        Layout.take(Arena.measuring(), config, profile, sizes, new Source(ElementType.BF16, 1));
    return StepPlan.of(layout.model(), layout.memory(), shape, architecture);
  }

  /// The most pages, up to `pagesMax`, with which a runner fits in `bytes`.
  ///
  /// @throws CudaException when not even `pagesMin` fit
  public static int pagesFor(
      LlamaWeights weights,
      Profile profile,
      int rowsMax,
      int outputsMax,
      long bytes,
      int pagesMin,
      int pagesMax) {
    long least = bytes(weights, profile, new Sizes(pagesMin, rowsMax, outputsMax));
    if (least > bytes) {
      throw new CudaException(
          "This model in %s takes at least %d MiB of device memory, and %d MiB are free. Choose a smaller model or i8-v1."
              .formatted(profile.id(), least >> 20, bytes >> 20));
    }
    int low = pagesMin;
    int high = Math.max(pagesMin, pagesMax);
    while (low < high) {
      int middle = low + (high - low + 1) / 2;
      if (bytes(weights, profile, new Sizes(middle, rowsMax, outputsMax)) <= bytes) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return low;
  }

  @Override
  public LlamaConfig config() {
    return config;
  }

  @Override
  public Profile profile() {
    return profile;
  }

  @Override
  public int pages() {
    return memory.limits().pages();
  }

  @Override
  public int rowsMax() {
    return memory.limits().rowsMax();
  }

  /// The most rows of one step that want a result.
  @Override
  public int outputsMax() {
    return memory.limits().outputsMax();
  }

  @Override
  public StepOutput run(Step step) {
    check(step);
    device.write(memory.input().address(), input.write(step));
    StepShape shape = input.shape(step);
    LaunchPlan plan;
    if (input.repeats(step)) {
      Prepared known = prepared.computeIfAbsent(shape, this::prepare);
      plan = known.plan();
      known.recording().replay();
    } else {
      plan = StepPlan.of(model, memory, shape, device.architecture());
      device.run(plan);
    }
    int outputs = step.outputs();
    MemorySegment landed = MemorySegment.ofArray(landing).asSlice(0, landingBytes(outputs));
    device.read(memory.results(), landed);
    long fault = landed.get(WORD, 0);
    if (fault != LaunchPlan.NO_FAULT) {
      device.write(memory.fault(), MemorySegment.ofArray(new long[] {LaunchPlan.NO_FAULT}));
      plan.check(fault);
    }
    return new Output(landed.asSlice(Long.BYTES, (long) outputs * Long.BYTES).toArray(WORD));
  }

  /// How many bytes from the results on hold all that a step of so many outputs gives but logits.
  private long landingBytes(int outputs) {
    return outputs == 0
        ? Long.BYTES
        : memory.hidden() - memory.results() + 4L * outputs * config.hiddenSize();
  }

  private Prepared prepare(StepShape shape) {
    LaunchPlan plan = StepPlan.of(model, memory, shape, device.architecture());
    LOG.debug("recording {} with {} launches", plan.name(), plan.launches().size());
    return new Prepared(plan, device.record(plan));
  }

  private void requireLogits() {
    if (!memory.limits().logits()) {
      throw new IllegalStateException(
          "This model was loaded for hidden states alone; load it with logits.");
    }
  }

  /// Chooses tokens from the logits that the last step left on the device.
  private int[] sample(List<Draw> draws) {
    int[] tokens = new int[draws.size()];
    Arrays.fill(tokens, StepOutput.ON_HOST);
    MemorySegment words = samplingInput.write(draws);
    List<Integer> taken = samplingInput.taken();
    if (taken.isEmpty()) {
      return tokens;
    }
    device.write(samplingMemory.input(), words);
    samplings
        .computeIfAbsent(
            SamplingPlan.Shape.of(taken.size(), samplingInput.ranks(), samplingMemory.drawsMax()),
            shape ->
                device.record(
                    SamplingPlan.of(samplingMemory, samplingInput, memory.logits(), shape)))
        .replay();
    int[] chosen = new int[taken.size()];
    device.read(samplingInput.tokens(), MemorySegment.ofArray(chosen));
    for (int i = 0; i < chosen.length; i++) {
      tokens[taken.get(i)] = chosen[i];
    }
    return tokens;
  }

  /// What a step left on the device, brought to the host part by part.
  private final class Output implements StepOutput {
    private final long[] best;
    private @Nullable Tensor states;
    private @Nullable Tensor scores;

    Output(long[] best) {
      this.best = best;
    }

    @Override
    public Tensor hidden() {
      Tensor rows = states;
      if (rows == null) {
        rows = hidden.rows(0, best.length);
        into(rows)
            .copyFrom(
                MemorySegment.ofArray(landing)
                    .asSlice(memory.hidden() - memory.results(), 4L * rows.size()));
        states = rows;
      }
      return rows;
    }

    @Override
    public Tensor logits() {
      Tensor rows = scores;
      if (rows == null) {
        requireLogits();
        rows = logits.rows(0, best.length);
        device.read(memory.logits(), into(rows));
        scores = rows;
      }
      return rows;
    }

    @Override
    public int[] argmax() {
      requireLogits();
      return Arrays.stream(best).mapToInt(word -> ~(int) word).toArray();
    }

    @Override
    public int[] sample(List<Draw> draws) {
      requireLogits();
      return CudaStepRunner.this.sample(draws);
    }

    private static MemorySegment into(Tensor rows) {
      return MemorySegment.ofArray(rows.data())
          .asSlice((long) rows.offset() * Float.BYTES, (long) rows.size() * Float.BYTES);
    }
  }

  private void check(Step step) {
    if (step.rows() > rowsMax() || step.outputs() > outputsMax()) {
      throw new IllegalArgumentException(
          "A step has at most %d rows and %d outputs here, this one %d and %d."
              .formatted(rowsMax(), outputsMax(), step.rows(), step.outputs()));
    }
    for (int token : step.tokenIds()) {
      if (token < 0 || token >= config.vocabularySize()) {
        throw new IllegalArgumentException(
            "There is no token %d: the vocabulary of this model runs from 0 to %d."
                .formatted(token, config.vocabularySize() - 1));
      }
    }
    for (Segment segment : step.segments()) {
      if (segment.endPosition() > model.positions()) {
        throw new IllegalArgumentException(
            "Position %d is outside this model or its pool, which have %d."
                .formatted(segment.endPosition() - 1, model.positions()));
      }
      if ((long) segment.pageTable().length * KeyValuePages.PAGE < segment.endPosition()) {
        throw new IllegalArgumentException(
            "A page table of %d pages does not cover position %d."
                .formatted(segment.pageTable().length, segment.endPosition() - 1));
      }
      for (int page : segment.pageTable()) {
        if (page < 0 || page >= pages()) {
          throw new IllegalArgumentException(
              "There is no page %d: the pool has %d.".formatted(page, pages()));
        }
      }
    }
  }

  /// Gives the memory and the recorded graphs back.
  @Override
  public void close() {
    prepared.values().forEach(known -> known.recording().close());
    prepared.clear();
    samplings.values().forEach(Accelerator.Recording::close);
    samplings.clear();
    device.free(arena);
  }
}

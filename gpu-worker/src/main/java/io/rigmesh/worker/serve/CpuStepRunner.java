package io.rigmesh.worker.serve;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.format.ModelWeight;
import io.rigmesh.worker.kernels.HeadLayout;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.KeyValuePages;
import io.rigmesh.worker.kernels.PackedWeight;
import io.rigmesh.worker.kernels.PagedSpan;
import io.rigmesh.worker.kernels.Projection;
import io.rigmesh.worker.kernels.RopeTable;
import io.rigmesh.worker.llama.LayerAttention;
import io.rigmesh.worker.llama.LlamaConfig;
import io.rigmesh.worker.llama.LlamaWeights;
import io.rigmesh.worker.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Runs steps with [Kernels] on the host. Weights are packed once, in the profile that the jobs
/// name; memory for the rows of a step is taken once and used again. Its twin on the GPU is
/// CudaStepRunner, with the same bits.
public final class CpuStepRunner implements StepRunner {
  private static final int PAGES_MIN = 8;

  /// How many rows of logits a recomputation gets at once; it bounds memory and changes no bit.
  private static final int OUTPUTS = 64;

  private final Kernels kernels;
  private final Profile profile;
  private final LlamaConfig config;
  private final HeadLayout layout;
  private final RopeTable rope;
  private final Tensor embedding; // (V, D)
  private final List<PackedLayer> layers = new ArrayList<>();
  private final Tensor finalNorm; // (D)
  private final PackedWeight head; // (V, D)
  private final KeyValuePages pages;

  private final int rowsMax;
  private final int outputsMax;
  private final Tensor residual; // (rowsMax, D)
  private final Tensor normed; // (rowsMax, D)
  private final Tensor branch; // (rowsMax, D)
  private final Tensor query; // (rowsMax, heads * headDim)
  private final Tensor mixed; // (rowsMax, heads * headDim)
  private final Tensor key; // (rowsMax, kvHeads * headDim)
  private final Tensor value; // (rowsMax, kvHeads * headDim)
  private final Tensor gate; // (rowsMax, F)
  private final Tensor up; // (rowsMax, F)
  private final Tensor hidden; // (outputsMax, D)
  private final Tensor logits; // (outputsMax, V)

  /// A linear layer with its bias, if it has one.
  private record Linear(PackedWeight weight, Optional<Tensor> bias) {
    Projection to(Tensor y) {
      return new Projection(weight, bias, y);
    }
  }

  private record PackedLayer(
      LayerAttention attention,
      Tensor attentionNorm,
      Linear query,
      Linear key,
      Linear value,
      Optional<Tensor> queryNorm,
      Optional<Tensor> keyNorm,
      Linear output,
      Tensor feedForwardNorm,
      PackedWeight gate,
      PackedWeight up,
      PackedWeight down) {}

  /// Sizes of what a runner takes memory for.
  ///
  /// @param pages how many pages of keys and values
  /// @param rowsMax the most rows of a step
  /// @param outputsMax the most rows of a step that want a result
  public record Sizes(int pages, int rowsMax, int outputsMax) {}

  /// @param kernels what computes; it stays the caller's to close
  /// @param weights what is packed; it can be closed afterwards
  public CpuStepRunner(Kernels kernels, LlamaWeights weights, Profile profile, Sizes sizes) {
    this.kernels = kernels;
    this.profile = profile;
    this.config = weights.config();
    this.layout = config.headLayout();
    this.rope =
        config.ropeTable(
            (int) Math.min(config.positionsMax(), (long) sizes.pages() * KeyValuePages.PAGE));
    this.embedding = weights.embedding().read();
    for (int layer = 0; layer < config.layers(); layer++) {
      layers.add(packed(config.layerAttention().get(layer), weights.layers().get(layer)));
    }
    this.finalNorm = weights.finalNorm().read();
    this.head = kernels.pack(config.tiedHead() ? embedding : weights.head().read(), profile);
    this.pages = new KeyValuePages(config.layers(), layout, sizes.pages());
    this.rowsMax = sizes.rowsMax();
    this.outputsMax = Math.min(rowsMax, sizes.outputsMax());
    this.residual = Tensor.zeros(rowsMax, config.hiddenSize());
    this.normed = Tensor.zeros(rowsMax, config.hiddenSize());
    this.branch = Tensor.zeros(rowsMax, config.hiddenSize());
    this.query = Tensor.zeros(rowsMax, config.queryCols());
    this.mixed = Tensor.zeros(rowsMax, config.queryCols());
    this.key = Tensor.zeros(rowsMax, config.keyCols());
    this.value = Tensor.zeros(rowsMax, config.keyCols());
    this.gate = Tensor.zeros(rowsMax, config.feedForwardSize());
    this.up = Tensor.zeros(rowsMax, config.feedForwardSize());
    this.hidden = Tensor.zeros(outputsMax, config.hiddenSize());
    this.logits = Tensor.zeros(outputsMax, config.vocabularySize());
  }

  /// Loads weights with as many pages as the Java heap has room for: a quarter of what the weights
  /// leave, at most what all sequences can need, at least what one short one does.
  ///
  /// @param kernels what computes; it stays the caller's to close
  public static CpuStepRunner load(
      Kernels kernels, LlamaWeights weights, Profile profile, EngineLimits limits) {
    LlamaConfig config = weights.config();
    long table = (long) config.vocabularySize() * config.hiddenSize();
    long packed = config.parameterCount() * (profile == Profile.I8_V1 ? 1 : Float.BYTES);
    long left = Runtime.getRuntime().maxMemory() - packed - table * Float.BYTES;
    long pageBytes = KeyValuePages.bytes(config.layers(), config.headLayout(), 1);
    long wanted = (long) limits.sequencesMax() * KeyValuePages.pagesFor(config.positionsMax());
    long pages = Math.clamp(left / 4 / pageBytes, 1, wanted);
    long pagesMax = (Integer.MAX_VALUE - 8L) * config.layers() * 2 * Float.BYTES / pageBytes;
    return new CpuStepRunner(
        kernels,
        weights,
        profile,
        new Sizes(
            (int) Math.max(PAGES_MIN, Math.min(pages, pagesMax)),
            limits.stepRowsMax(),
            Math.max(limits.sequencesMax(), OUTPUTS)));
  }

  private PackedLayer packed(LayerAttention attention, LlamaWeights.Layer layer) {
    return new PackedLayer(
        attention,
        layer.attentionNorm().read(),
        linear(layer.query(), layer.queryBias()),
        linear(layer.key(), layer.keyBias()),
        linear(layer.value(), layer.valueBias()),
        layer.queryNorm().map(ModelWeight::read),
        layer.keyNorm().map(ModelWeight::read),
        linear(layer.output(), layer.outputBias()),
        layer.feedForwardNorm().read(),
        kernels.pack(layer.gate().read(), profile),
        kernels.pack(layer.up().read(), profile),
        kernels.pack(layer.down().read(), profile));
  }

  private Linear linear(ModelWeight weight, Optional<ModelWeight> bias) {
    return new Linear(kernels.pack(weight.read(), profile), bias.map(ModelWeight::read));
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
    return pages.pages();
  }

  @Override
  public int rowsMax() {
    return rowsMax;
  }

  @Override
  public int outputsMax() {
    return outputsMax;
  }

  @Override
  public StepOutput run(Step step) {
    check(step);
    int rows = step.rows();
    int[] positions = new int[rows];
    List<PagedSpan> spans = new ArrayList<>(step.segments().size());
    for (Segment segment : step.segments()) {
      spans.add(
          new PagedSpan(
              segment.firstRow(), segment.rows(), segment.firstPosition(), segment.pageTable()));
      for (int row = 0; row < segment.rows(); row++) {
        positions[segment.firstRow() + row] = segment.firstPosition() + row;
      }
    }
    Tensor x = residual.rows(0, rows);
    kernels.embedding(embedding, step.tokenIds(), x);
    for (int index = 0; index < layers.size(); index++) {
      attend(layers.get(index), index, x, positions, spans);
      feedForward(layers.get(index), x);
    }
    return output(step);
  }

  /// x += output projection of attention over the norm of x.
  private void attend(
      PackedLayer layer, int index, Tensor x, int[] positions, List<PagedSpan> spans) {
    int rows = x.dim(0);
    Tensor h = normed.rows(0, rows);
    Tensor q = query.rows(0, rows);
    Tensor k = key.rows(0, rows);
    Tensor v = value.rows(0, rows);
    Tensor o = mixed.rows(0, rows);
    Tensor y = branch.rows(0, rows);
    kernels.rmsNorm(x, layer.attentionNorm(), config.normEpsilon(), h);
    kernels.linear(h, List.of(layer.query().to(q), layer.key().to(k), layer.value().to(v)));
    normHeads(q, layer.queryNorm());
    normHeads(k, layer.keyNorm());
    if (layer.attention().rotary()) {
      kernels.rope(q, positions, rope, q);
      kernels.rope(k, positions, rope, k);
    }
    kernels.storeKeys(k, pages, index, spans);
    kernels.storeValues(v, pages, index, spans);
    kernels.attention(q, pages, index, layout, spans, layer.attention().window(), o);
    kernels.linear(o, List.of(layer.output().to(y)));
    kernels.add(x, y, x);
  }

  /// x += SwiGLU block over the norm of x.
  private void feedForward(PackedLayer layer, Tensor x) {
    int rows = x.dim(0);
    Tensor h = normed.rows(0, rows);
    Tensor g = gate.rows(0, rows);
    Tensor u = up.rows(0, rows);
    Tensor y = branch.rows(0, rows);
    kernels.rmsNorm(x, layer.feedForwardNorm(), config.normEpsilon(), h);
    kernels.linear(h, List.of(new Projection(layer.gate(), g), new Projection(layer.up(), u)));
    kernels.swiglu(g, u, g);
    kernels.linear(g, layer.down(), y);
    kernels.add(x, y, x);
  }

  /// Norms every head of the rows, where the model does that.
  private void normHeads(Tensor rows, Optional<Tensor> gain) {
    if (gain.isPresent()) {
      Tensor heads = rows.reshape(rows.size() / config.headDim(), config.headDim());
      kernels.rmsNorm(heads, gain.get(), config.normEpsilon(), heads);
    }
  }

  private StepOutput output(Step step) {
    int outputs = step.outputs();
    if (outputs > 0) {
      int next = 0;
      for (Segment segment : step.segments()) {
        int end = segment.firstRow() + segment.rows();
        for (int row = end - segment.outputRows(); row < end; row++) {
          hidden.rows(next, next + 1).copyFrom(residual.rows(row, row + 1));
          next++;
        }
      }
      Tensor states = hidden.rows(0, outputs);
      kernels.rmsNorm(states, finalNorm, config.normEpsilon(), states);
    }
    return new Output(outputs);
  }

  /// What a step left in the buffers.
  private final class Output implements StepOutput {
    private final int outputs;
    private @Nullable Tensor computed;
    private int @Nullable [] largest;

    Output(int outputs) {
      this.outputs = outputs;
    }

    @Override
    public Tensor hidden() {
      return hidden.rows(0, outputs);
    }

    @Override
    public Tensor logits() {
      Tensor rows = computed;
      if (rows == null) {
        rows = logits.rows(0, outputs);
        kernels.linear(hidden(), head, rows);
        computed = rows;
      }
      return rows;
    }

    @Override
    public int[] argmax() {
      int[] ids = largest;
      if (ids == null) {
        ids = kernels.argmax(logits());
        largest = ids;
      }
      return ids;
    }
  }

  private void check(Step step) {
    if (step.rows() > rowsMax || step.outputs() > outputsMax) {
      throw new IllegalArgumentException(
          "A step has at most %d rows and %d outputs here, this one %d and %d."
              .formatted(rowsMax, outputsMax, step.rows(), step.outputs()));
    }
    for (int token : step.tokenIds()) {
      if (token < 0 || token >= config.vocabularySize()) {
        throw new IllegalArgumentException(
            "There is no token %d: the vocabulary of this model runs from 0 to %d."
                .formatted(token, config.vocabularySize() - 1));
      }
    }
    for (Segment segment : step.segments()) {
      if (segment.endPosition() > rope.positions()) {
        throw new IllegalArgumentException(
            "Position %d is outside this model or its pool, which have %d."
                .formatted(segment.endPosition() - 1, rope.positions()));
      }
      for (int page : segment.pageTable()) {
        if (page < 0 || page >= pages.pages()) {
          throw new IllegalArgumentException(
              "There is no page %d: the pool has %d.".formatted(page, pages.pages()));
        }
      }
    }
  }

  /// Nothing to give back: the memory is the collector's.
  @Override
  public void close() {}
}

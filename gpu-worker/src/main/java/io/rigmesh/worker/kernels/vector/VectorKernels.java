package io.rigmesh.worker.kernels.vector;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.kernels.AdamW;
import io.rigmesh.worker.kernels.AttentionSpan;
import io.rigmesh.worker.kernels.HeadLayout;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.KeyValuePages;
import io.rigmesh.worker.kernels.PackedWeight;
import io.rigmesh.worker.kernels.PagedSpan;
import io.rigmesh.worker.kernels.Projection;
import io.rigmesh.worker.kernels.RopeTable;
import io.rigmesh.worker.kernels.nativecode.ByteProducts;
import io.rigmesh.worker.kernels.nativecode.FloatProducts;
import io.rigmesh.worker.kernels.nativecode.NativeCode;
import io.rigmesh.worker.tensor.Tensor;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/// The operations of profiles f32-v1 and i8-v1 on the CPU's vector unit and on several threads, bit
/// for bit as the scalar reference.
///
/// Vectors run across independent outputs, never along a sum, and threads share out outputs, so
/// neither the vector width nor the thread count can change a bit. Every piece of output is looked
/// through for NaN and infinity while it is still in the cache. Scratch memory belongs to the
/// instance and grows to the largest operation seen; close the instance to end its threads. One
/// calling thread at a time.
public final class VectorKernels implements Kernels {
  private final Workers workers;
  private final ByteLayers bytes;
  private final LinearLayers linear;
  private final ElementOps elements;
  private final RowOps rows;
  private final AttentionOps attention;

  /// Starts `threads - 1` helper threads. Linear layers are computed by machine code where
  /// [NativeCode#find] has some for this CPU.
  public VectorKernels(int threads) {
    this(
        threads,
        NativeCode.find() instanceof NativeCode.Present present
            ? Optional.of(present.fastest())
            : Optional.empty());
  }

  /// As [#VectorKernels(int)] with products of i8-v1 by the given machine code and those of f32-v1
  /// by what belongs to this JVM's vectors; or both by the Vector API.
  VectorKernels(int threads, Optional<ByteProducts> products) {
    Optional<FloatProducts> floats =
        products.isPresent() && NativeCode.find() instanceof NativeCode.Present present
            ? present.floats(Tiles.PANEL)
            : Optional.empty();
    workers = new Workers(threads);
    bytes =
        products.isPresent()
            ? new NativeByteLayers(workers, products.get())
            : new VectorByteLayers(workers);
    linear = new LinearLayers(workers, bytes, floats);
    elements = new ElementOps(workers);
    rows = new RowOps(workers);
    attention = new AttentionOps(workers);
  }

  @Override
  public String name() {
    return bytes instanceof NativeByteLayers ? "vector, " + bytes.label() : bytes.label();
  }

  @Override
  public int threads() {
    return workers.threads();
  }

  @Override
  public void close() {
    workers.close();
  }

  @Override
  public void checkFinite(String what, Tensor x) {
    workers.checkFinite(what, x);
  }

  @Override
  public PackedWeight pack(Tensor weight, Profile profile) {
    return linear.pack(weight, profile);
  }

  @Override
  public void linear(Tensor x, PackedWeight weight, Tensor y) {
    linear(x, List.of(new Projection(weight, y)));
  }

  @Override
  public void linear(Tensor x, PackedWeight weight, Tensor bias, Tensor y) {
    linear(x, List.of(new Projection(weight, Optional.of(bias), y)));
  }

  @Override
  public void linear(Tensor x, List<Projection> projections) {
    linear.linear(x, projections);
  }

  @Override
  public void linear(Tensor x, Tensor weight, Tensor y) {
    linear.linear(x, weight, y);
  }

  @Override
  public void linearInputGradient(Tensor dy, Tensor weight, Tensor dx) {
    linear.linearInputGradient(dy, weight, dx);
  }

  @Override
  public void linearWeightGradient(Tensor dy, Tensor x, Tensor dWeight) {
    linear.linearWeightGradient(dy, x, dWeight);
  }

  @Override
  public void embedding(Tensor table, int[] ids, Tensor y) {
    elements.embedding(table, ids, y);
  }

  @Override
  public void embeddingGradient(int[] ids, Tensor dy, Tensor dTable) {
    elements.embeddingGradient(ids, dy, dTable);
  }

  @Override
  public void add(Tensor a, Tensor b, Tensor y) {
    elements.add(a, b, y);
  }

  @Override
  public void addBias(Tensor x, Tensor bias, Tensor y) {
    elements.addBias(x, bias, y);
  }

  @Override
  public void biasGradient(Tensor dy, Tensor dBias) {
    elements.biasGradient(dy, dBias);
  }

  @Override
  public void scale(Tensor x, float factor, Tensor y) {
    elements.scale(x, factor, y);
  }

  @Override
  public void gelu(Tensor x, Tensor y) {
    elements.gelu(x, y);
  }

  @Override
  public void tanh(Tensor x, Tensor y) {
    elements.tanh(x, y);
  }

  @Override
  public void swiglu(Tensor gate, Tensor up, Tensor y) {
    elements.swiglu(gate, up, y);
  }

  @Override
  public void swigluBackward(Tensor gate, Tensor up, Tensor dy, Tensor dGate, Tensor dUp) {
    elements.swigluBackward(gate, up, dy, dGate, dUp);
  }

  @Override
  public void adamW(AdamW step, Tensor gradient, Tensor parameter, Tensor moment1, Tensor moment2) {
    elements.adamW(step, gradient, parameter, moment1, moment2);
  }

  @Override
  public void rmsNorm(Tensor x, Tensor gain, float epsilon, Tensor y) {
    rows.rmsNorm(x, gain, epsilon, y);
  }

  @Override
  public void rmsNormBackward(
      Tensor x, Tensor gain, float epsilon, Tensor dy, Tensor dx, Tensor dGain) {
    rows.rmsNormBackward(x, gain, epsilon, dy, dx, dGain);
  }

  @Override
  public void layerNorm(Tensor x, Tensor gain, Tensor bias, float epsilon, Tensor y) {
    rows.layerNorm(x, gain, bias, epsilon, y);
  }

  @Override
  public void softmax(Tensor x, Tensor y) {
    rows.softmax(x, y);
  }

  @Override
  public float crossEntropy(Tensor logits, int[] targets, int ignoredTarget) {
    return rows.crossEntropy(logits, targets, ignoredTarget);
  }

  @Override
  public float crossEntropyBackward(
      Tensor logits, int[] targets, int ignoredTarget, Tensor dLogits) {
    return rows.crossEntropyBackward(logits, targets, ignoredTarget, dLogits);
  }

  @Override
  public int[] argmax(Tensor x) {
    return rows.argmax(x);
  }

  @Override
  public void rope(Tensor x, int[] positions, RopeTable table, Tensor y) {
    rows.rope(x, positions, table, y);
  }

  @Override
  public void ropeBackward(Tensor dy, int[] positions, RopeTable table, Tensor dx) {
    rows.ropeBackward(dy, positions, table, dx);
  }

  @Override
  public float laneSum(Tensor x) {
    return rows.laneSum(x);
  }

  @Override
  public float laneSumOfSquares(Tensor x) {
    return rows.laneSumOfSquares(x);
  }

  @Override
  public void attention(
      Tensor q,
      Tensor keys,
      Tensor values,
      HeadLayout layout,
      List<AttentionSpan> spans,
      Tensor out) {
    attention.attention(q, keys, values, layout, spans, out);
  }

  @Override
  public void storeKeys(Tensor keys, KeyValuePages pages, int layer, List<PagedSpan> spans) {
    attention.storeKeys(keys, pages, layer, spans);
  }

  @Override
  public void storeValues(Tensor values, KeyValuePages pages, int layer, List<PagedSpan> spans) {
    attention.storeValues(values, pages, layer, spans);
  }

  @Override
  public void attention(
      Tensor q,
      KeyValuePages pages,
      int layer,
      HeadLayout layout,
      List<PagedSpan> spans,
      OptionalInt window,
      Tensor out) {
    attention.attention(q, pages, layer, layout, spans, window, out);
  }

  @Override
  public void attentionBackward(
      Tensor q,
      Tensor keys,
      Tensor values,
      HeadLayout layout,
      List<AttentionSpan> spans,
      Tensor out,
      Tensor dOut,
      Tensor dQ,
      Tensor dKeys,
      Tensor dValues) {
    attention.attentionBackward(q, keys, values, layout, spans, out, dOut, dQ, dKeys, dValues);
  }
}

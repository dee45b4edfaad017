package io.rigmesh.worker.kernels.vector;

import io.rigmesh.worker.kernels.AdamW;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.OpShapes;
import io.rigmesh.worker.tensor.Tensor;
import java.util.Arrays;

/// The operations element by element, those on rows of a table, and the optimiser.
final class ElementOps {
  private final Workers workers;

  ElementOps(Workers workers) {
    this.workers = workers;
  }

  void embedding(Tensor table, int[] ids, Tensor y) {
    OpShapes.embedding(table, ids, y);
    int cols = table.cols();
    for (int t = 0; t < ids.length; t++) {
      System.arraycopy(
          table.data(), table.offset() + ids[t] * cols, y.data(), y.offset() + t * cols, cols);
    }
  }

  void embeddingGradient(int[] ids, Tensor dy, Tensor dTable) {
    OpShapes.embedding(dTable, ids, dy);
    int cols = dTable.cols();
    dTable.fill(0f);
    boolean bad = false;
    for (int t = 0; t < ids.length; t++) {
      int at = dTable.offset() + ids[t] * cols;
      ElementLoops.add(
          dTable.data(), at, dy.data(), dy.offset() + t * cols, dTable.data(), at, cols);
      bad |= Lanes.anyNonFinite(dTable.data(), at, cols);
    }
    Workers.locate(bad, "embeddingGradient", dTable);
  }

  void add(Tensor a, Tensor b, Tensor y) {
    OpShapes.same("add", a, b);
    OpShapes.same("add", a, y);
    workers.elements(
        "add",
        y,
        (worker, at, count) ->
            ElementLoops.add(
                a.data(),
                a.offset() + at,
                b.data(),
                b.offset() + at,
                y.data(),
                y.offset() + at,
                count));
  }

  void addBias(Tensor x, Tensor bias, Tensor y) {
    OpShapes.same("addBias", x, y);
    OpShapes.rowVector("addBias", x, bias);
    int cols = x.cols();
    workers.rows(
        "addBias",
        y,
        (worker, row) ->
            ElementLoops.add(
                x.data(),
                x.offset() + row * cols,
                bias.data(),
                bias.offset(),
                y.data(),
                y.offset() + row * cols,
                cols));
  }

  void biasGradient(Tensor dy, Tensor dBias) {
    OpShapes.rowVector("biasGradient", dy, dBias);
    int cols = dy.cols();
    int rows = dy.rowCount();
    workers.columns(
        cols,
        (worker, from, count) -> {
          float[] sum = workers.rowScratch(worker, count);
          for (int start = 0; start < rows; start += Kernels.BLOCK) {
            Arrays.fill(sum, 0, count, 0f);
            for (int t = start; t < Math.min(rows, start + Kernels.BLOCK); t++) {
              ElementLoops.add(sum, 0, dy.data(), dy.offset() + t * cols + from, sum, 0, count);
            }
            Workers.addBlock(sum, dBias, from, count, start == 0);
          }
        });
    Workers.locate(true, "biasGradient", dBias);
  }

  void scale(Tensor x, float factor, Tensor y) {
    OpShapes.same("scale", x, y);
    workers.elements(
        "scale",
        y,
        (worker, at, count) ->
            ElementLoops.scale(
                x.data(), x.offset() + at, factor, y.data(), y.offset() + at, count));
  }

  void gelu(Tensor x, Tensor y) {
    OpShapes.same("gelu", x, y);
    workers.elements(
        "gelu",
        y,
        (worker, at, count) ->
            VectorElementary.gelu(
                x.data(),
                x.offset() + at,
                y.data(),
                y.offset() + at,
                count,
                workers.scratch(worker).piece));
  }

  void tanh(Tensor x, Tensor y) {
    OpShapes.same("tanh", x, y);
    workers.elements(
        "tanh",
        y,
        (worker, at, count) ->
            VectorElementary.tanh(
                x.data(),
                x.offset() + at,
                y.data(),
                y.offset() + at,
                count,
                workers.scratch(worker).piece));
  }

  void swiglu(Tensor gate, Tensor up, Tensor y) {
    OpShapes.same("swiglu", gate, up);
    OpShapes.same("swiglu", gate, y);
    workers.elements(
        "swiglu",
        y,
        (worker, at, count) ->
            ElementLoops.swiglu(
                gate.data(),
                gate.offset() + at,
                up.data(),
                up.offset() + at,
                y.data(),
                y.offset() + at,
                count,
                workers.scratch(worker).piece));
  }

  void swigluBackward(Tensor gate, Tensor up, Tensor dy, Tensor dGate, Tensor dUp) {
    OpShapes.same("swigluBackward", gate, up);
    OpShapes.same("swigluBackward", gate, dy);
    OpShapes.same("swigluBackward", gate, dGate);
    OpShapes.same("swigluBackward", gate, dUp);
    boolean bad =
        workers.pieces(
            dy.size(),
            (worker, at, count) -> {
              ElementLoops.swigluBackward(
                  gate.data(),
                  gate.offset() + at,
                  up.data(),
                  up.offset() + at,
                  dy.data(),
                  dy.offset() + at,
                  dGate.data(),
                  dGate.offset() + at,
                  dUp.data(),
                  dUp.offset() + at,
                  count,
                  workers.scratch(worker).piece);
              return Workers.nonFinite(dGate, at, count) || Workers.nonFinite(dUp, at, count);
            });
    Workers.locate(bad, "swigluBackward", dGate);
    Workers.locate(bad, "swigluBackward", dUp);
  }

  void adamW(AdamW step, Tensor gradient, Tensor parameter, Tensor moment1, Tensor moment2) {
    OpShapes.same("adamW", gradient, parameter);
    OpShapes.same("adamW", gradient, moment1);
    OpShapes.same("adamW", gradient, moment2);
    boolean bad =
        workers.pieces(
            parameter.size(),
            (worker, at, count) -> {
              ElementLoops.adamW(
                  step,
                  gradient.data(),
                  gradient.offset() + at,
                  parameter.data(),
                  parameter.offset() + at,
                  moment1.data(),
                  moment1.offset() + at,
                  moment2.data(),
                  moment2.offset() + at,
                  count);
              return Workers.nonFinite(parameter, at, count)
                  || Workers.nonFinite(moment1, at, count)
                  || Workers.nonFinite(moment2, at, count);
            });
    Workers.locate(bad, "adamW parameter", parameter);
    Workers.locate(bad, "adamW moment1", moment1);
    Workers.locate(bad, "adamW moment2", moment2);
  }
}

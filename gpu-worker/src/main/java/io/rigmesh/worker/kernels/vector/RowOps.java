package io.rigmesh.worker.kernels.vector;

import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.NonFiniteException;
import io.rigmesh.worker.kernels.OpShapes;
import io.rigmesh.worker.kernels.RopeTable;
import io.rigmesh.worker.tensor.Tensor;
import java.util.Arrays;

/// The operations row by row: norms, softmax, the loss, rotary positions, lane sums.
final class RowOps {
  private final Workers workers;
  private float[] perRow = {};

  RowOps(Workers workers) {
    this.workers = workers;
  }

  void rmsNorm(Tensor x, Tensor gain, float epsilon, Tensor y) {
    OpShapes.same("rmsNorm", x, y);
    OpShapes.rowVector("rmsNorm", x, gain);
    int cols = x.cols();
    workers.rows(
        "rmsNorm",
        y,
        (worker, row) -> {
          int at = x.offset() + row * cols;
          float r =
              RowLoops.inverseRootMeanSquare(
                  x.data(), at, cols, epsilon, row, workers.scratch(worker).lanes);
          RowLoops.rmsNorm(
              x.data(), at, r, gain.data(), gain.offset(), y.data(), y.offset() + row * cols, cols);
        });
  }

  void rmsNormBackward(Tensor x, Tensor gain, float epsilon, Tensor dy, Tensor dx, Tensor dGain) {
    OpShapes.same("rmsNormBackward", x, dy);
    OpShapes.same("rmsNormBackward", x, dx);
    OpShapes.rowVector("rmsNormBackward", x, gain);
    OpShapes.rowVector("rmsNormBackward", x, dGain);
    int cols = x.cols();
    int rows = x.rowCount();
    perRow = VectorAttention.grown(perRow, rows);
    float[] r = perRow;
    workers.eachRow(
        rows,
        cols,
        (worker, row) ->
            r[row] =
                RowLoops.inverseRootMeanSquare(
                    x.data(),
                    x.offset() + row * cols,
                    cols,
                    epsilon,
                    row,
                    workers.scratch(worker).lanes));
    // The gain's gradient comes first: dx may overwrite dy.
    workers.columns(
        cols,
        (worker, from, count) -> {
          float[] sum = workers.rowScratch(worker, count);
          for (int start = 0; start < rows; start += Kernels.BLOCK) {
            Arrays.fill(sum, 0, count, 0f);
            for (int t = start; t < Math.min(rows, start + Kernels.BLOCK); t++) {
              int at = t * cols + from;
              RowLoops.addGainGradient(
                  dy.data(), dy.offset() + at, x.data(), x.offset() + at, r[t], sum, count);
            }
            Workers.addBlock(sum, dGain, from, count, start == 0);
          }
        });
    workers.rows(
        "rmsNormBackward",
        dx,
        (worker, row) -> {
          Workers.Scratch own = workers.scratch(worker);
          own.row = VectorAttention.grown(own.row, cols);
          own.otherRow = VectorAttention.grown(own.otherRow, cols);
          RowLoops.rmsNormBackward(
              x.data(),
              x.offset() + row * cols,
              r[row],
              gain.data(),
              gain.offset(),
              dy.data(),
              dy.offset() + row * cols,
              dx.data(),
              dx.offset() + row * cols,
              cols,
              own.row,
              own.otherRow,
              own.lanes);
        });
    Workers.locate(true, "rmsNormBackward", dGain);
  }

  void layerNorm(Tensor x, Tensor gain, Tensor bias, float epsilon, Tensor y) {
    OpShapes.same("layerNorm", x, y);
    OpShapes.rowVector("layerNorm", x, gain);
    OpShapes.rowVector("layerNorm", x, bias);
    int cols = x.cols();
    workers.rows(
        "layerNorm",
        y,
        (worker, row) -> {
          Workers.Scratch own = workers.scratch(worker);
          own.row = VectorAttention.grown(own.row, cols);
          RowLoops.layerNorm(
              x.data(),
              x.offset() + row * cols,
              gain.data(),
              gain.offset(),
              bias.data(),
              bias.offset(),
              epsilon,
              y.data(),
              y.offset() + row * cols,
              cols,
              row,
              own.row,
              own.lanes);
        });
  }

  void softmax(Tensor x, Tensor y) {
    OpShapes.same("softmax", x, y);
    int cols = x.cols();
    workers.rows(
        "softmax",
        y,
        (worker, row) ->
            RowLoops.softmax(
                x.data(),
                x.offset() + row * cols,
                y.data(),
                y.offset() + row * cols,
                cols,
                workers.scratch(worker).lanes));
  }

  float crossEntropy(Tensor logits, int[] targets, int ignoredTarget) {
    int counted = OpShapes.targets(logits, targets, ignoredTarget);
    int cols = logits.cols();
    perRow = VectorAttention.grown(perRow, targets.length);
    float[] losses = perRow;
    workers.eachRow(
        targets.length,
        cols,
        (worker, row) -> {
          if (targets[row] == ignoredTarget) {
            losses[row] = 0f;
            return;
          }
          float[] exponentials = workers.rowScratch(worker, cols);
          losses[row] =
              RowLoops.loss(
                  logits.data(),
                  logits.offset() + row * cols,
                  targets[row],
                  cols,
                  exponentials,
                  workers.scratch(worker).lanes);
        });
    return meanLoss(losses, targets.length, counted);
  }

  float crossEntropyBackward(Tensor logits, int[] targets, int ignoredTarget, Tensor dLogits) {
    int counted = OpShapes.targets(logits, targets, ignoredTarget);
    OpShapes.same("crossEntropyBackward", logits, dLogits);
    int cols = logits.cols();
    float share = 1f / counted;
    perRow = VectorAttention.grown(perRow, targets.length);
    float[] losses = perRow;
    workers.rows(
        "crossEntropyBackward",
        dLogits,
        (worker, row) -> {
          int at = dLogits.offset() + row * cols;
          if (targets[row] == ignoredTarget) {
            losses[row] = 0f;
            Arrays.fill(dLogits.data(), at, at + cols, 0f);
            return;
          }
          losses[row] =
              RowLoops.lossBackward(
                  logits.data(),
                  logits.offset() + row * cols,
                  targets[row],
                  share,
                  dLogits.data(),
                  at,
                  cols,
                  workers.scratch(worker).lanes);
        });
    return meanLoss(losses, targets.length, counted);
  }

  private float meanLoss(float[] losses, int rows, int counted) {
    float mean = LaneSums.sum(losses, 0, rows, workers.scratch(0).lanes) / counted;
    return NonFiniteException.check("crossEntropy", 0, mean);
  }

  int[] argmax(Tensor x) {
    int cols = x.cols();
    int[] best = new int[x.rowCount()];
    for (int row = 0; row < best.length; row++) {
      int at = x.offset() + row * cols;
      float max = RowLoops.max(x.data(), at, cols);
      int c = 0;
      while (c < cols - 1 && x.data()[at + c] != max) {
        c++;
      }
      best[row] = c;
    }
    return best;
  }

  void rope(Tensor x, int[] positions, RopeTable table, Tensor y) {
    OpShapes.rope(x, positions, table, y);
    turn("rope", x, positions, table, false, y);
  }

  void ropeBackward(Tensor dy, int[] positions, RopeTable table, Tensor dx) {
    OpShapes.rope(dy, positions, table, dx);
    turn("ropeBackward", dy, positions, table, true, dx);
  }

  private void turn(String op, Tensor x, int[] positions, RopeTable table, boolean back, Tensor y) {
    int cols = x.cols();
    int headDim = table.headDim();
    int half = headDim / 2;
    workers.rows(
        op,
        y,
        (worker, row) -> {
          int tableAt = table.cos().offset() + positions[row] * half;
          for (int head = 0; head < cols; head += headDim) {
            int at = row * cols + head;
            ElementLoops.turn(
                x.data(),
                x.offset() + at,
                table.cos().data(),
                table.sin().data(),
                tableAt,
                half,
                back,
                y.data(),
                y.offset() + at);
          }
        });
  }

  float laneSum(Tensor x) {
    float sum = LaneSums.sum(x.data(), x.offset(), x.size(), workers.scratch(0).lanes);
    return NonFiniteException.check("laneSum", 0, sum);
  }

  float laneSumOfSquares(Tensor x) {
    float sum =
        LaneSums.dot(
            x.data(), x.offset(), x.data(), x.offset(), x.size(), workers.scratch(0).lanes);
    return NonFiniteException.check("laneSumOfSquares", 0, sum);
  }
}

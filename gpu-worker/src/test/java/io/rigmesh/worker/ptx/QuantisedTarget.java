package io.rigmesh.worker.ptx;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.worker.kernels.QuantisedRows;
import io.rigmesh.worker.tensor.Tensor;

/// Where a kernel leaves rows quantised for i8-v1.
///
/// @param bytes `(rows, pitch)`, which may be read only where the kernel wrote
/// @param scales a number for each row, and some for rows that must stay as they are
/// @param pitch how far rows lie apart
record QuantisedTarget(DeviceBuffer bytes, DeviceBuffer scales, int pitch) {
  /// Room for `rows` rows of `cols`, and for the scales of `spare` more.
  static QuantisedTarget of(KernelStage stage, int rows, int spare, int cols) {
    int pitch = pitch(cols);
    return new QuantisedTarget(
        stage.unwritten("q", rows * pitch), stage.poisoned("scales", rows + spare), pitch);
  }

  static int pitch(int cols) {
    return (cols + 15) / 16 * 16;
  }

  /// Quantised rows as they lie on a device, zeros behind each.
  static byte[] padded(QuantisedRows rows) {
    int pitch = pitch(rows.cols());
    byte[] bytes = new byte[rows.rows() * pitch];
    for (int row = 0; row < rows.rows(); row++) {
      System.arraycopy(rows.values(), row * rows.cols(), bytes, row * pitch, rows.cols());
    }
    return bytes;
  }

  /// It holds these rows, quantised, and nothing else.
  void same(KernelStage stage, Tensor expected) {
    QuantisedRows rows = QuantisedRows.of(expected);
    byte[] all = padded(rows);
    assertThat(bytes.read(0, all.length)).as("the bytes of %s", stage.entry()).isEqualTo(all);
    stage.same(scales, 1, Tensor.of(rows.scales(), rows.rows(), 1));
  }
}

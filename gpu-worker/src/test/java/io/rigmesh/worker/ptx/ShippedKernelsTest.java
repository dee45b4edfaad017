package io.rigmesh.worker.ptx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.worker.cuda.PtxManifest;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Every shipped kernel, run by the interpreter on odd shapes and on every kind of numbers, gives
/// the bits of the scalar reference, and its fault word names what the reference names.
class ShippedKernelsTest {
  static Stream<PtxManifest.Module> modules() {
    return PtxManifest.load().modules().stream();
  }

  static Stream<String> kernels() {
    return KernelChecks.shipped();
  }

  static Stream<String> checkingKernels() {
    return KernelChecks.checking();
  }

  @ParameterizedTest
  @MethodSource("modules")
  void everyInstructionIsKnown(PtxManifest.Module module) {
    assertThat(new PtxDevice().load(module.ptx()).kernels())
        .containsExactlyInAnyOrderElementsOf(
            module.kernels().stream().map(PtxManifest.Kernel::entry).toList());
  }

  @Test
  void everyShippedKernelHasACheck() {
    assertThat(KernelChecks.byEntry().keySet())
        .containsExactlyInAnyOrderElementsOf(kernels().toList());
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void aKernelGivesTheBitsOfTheReference(String entry) {
    KernelChecks.run(StageInterpreter.shared(), entry, entry.length());
  }

  /// Each kernel whose result is looked through, with NaN and infinity in each of its inputs: it
  /// names the operation and the element that the reference names.
  @ParameterizedTest
  @MethodSource("checkingKernels")
  void whatIsNotFiniteIsReportedAsByTheReference(String entry) {
    assertThat(KernelChecks.runNotFinite(StageInterpreter.shared(), entry)).isGreaterThan(3);
  }

  /// What the checks are worth: a kernel without one of its barriers, or with one of its
  /// instructions exchanged for a neighbour, does not pass.
  @ParameterizedTest
  @CsvSource({
    "rms_norm, bar.sync, 0, //",
    "rms_norm, bar.sync, 1, //",
    "softmax, bar.sync, 2, //",
    "transpose_f32, bar.sync, 0, //",
    "linear_i8_mma_16x32, cp.async.wait_group, 0, //",
    "linear_i8_mma_16x32, bar.sync, 0, //",
    "linear_i8_wgmma_128x128, cp.async.wait_group, 0, //",
    "linear_i8_wgmma_128x128, bar.sync, 0, //",
    "linear_i8_wgmma_128x128, fence.proxy.async, 0, //",
    "linear_i8_wgmma_128x128, wgmma.wait_group, 0, //",
    "linear_i8_wgmma_128x128, wgmma.wait_group, 1, //",
    "rms_norm, div.rn, 0, mul.rn",
    "swiglu, fma.rn, 3, fma.rn.ftz",
    "add_rows, setp.lt, 0, setp.le",
    "add_rows, add.rn, 0, sub.rn",
    "linear_f32_rows, bar.sync, 0, //",
    "attention_combine_i8, bar.sync, 0, //",
    "attention_values, bar.sync, 0, //",
    "attention_values, bar.sync, 2, //",
    "attention_scores_one, bar.sync, 0, //",
    "attention_scores_one, fma.rn, 0, fma.rn.ftz",
    "linear_i8_row_norm_2, bar.sync, 0, //",
    "linear_i8_row_norm_4, atom.global.max.u64, 0, atom.global.min.u64",
    "linear_i8_row_attention_2, bar.sync, 0, //",
    "linear_i8_row_plain_4, bar.sync, 0, //",
    "attention_spans_64, bar.sync, 1, //",
    "layer_norm_i8, bar.sync, 0, //",
    "pool, add.rn, 0, sub.rn",
    "top_first, bar.sync, 0, //",
    "sample_blocks, bar.sync, 0, //",
    "sample_norm, div.rn, 0, mul.rn"
  })
  void aBrokenKernelIsFound(String entry, String instruction, int which, String instead) {
    String ptx = PtxManifest.load().moduleOf(entry).ptx();
    int at = ptx.indexOf(".entry " + entry + "(");
    for (int i = 0; i <= which; i++) {
      at = ptx.indexOf(instruction + (instruction.contains(".rn") ? ".f32" : ""), at + 1);
    }
    assertThat(at).isPositive();
    String broken = ptx.substring(0, at) + instead + ptx.substring(at + instruction.length());
    assertThatThrownBy(() -> KernelChecks.run(StageInterpreter.with(entry, broken), entry, 0))
        .isInstanceOfAny(AssertionError.class, PtxException.class);
  }
}

package io.rigmesh.worker.ptx;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.worker.cuda.PtxManifest;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Every instruction of every shipped module is one that the interpreter knows and that is exact.
class ShippedKernelsTest {
  static java.util.stream.Stream<String> modules() {
    return PtxManifest.load().modules().stream().map(PtxManifest.Module::name);
  }

  @ParameterizedTest
  @MethodSource("modules")
  void everyInstructionIsKnown(String name) {
    PtxManifest.Module module = PtxManifest.load().module(name);
    assertThat(new PtxDevice().load(module.ptx()).kernels())
        .containsExactlyInAnyOrderElementsOf(
            module.kernels().stream().map(PtxManifest.Kernel::entry).toList());
  }
}

package io.rigmesh.worker.cuda;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.rigmesh.worker.device.Devices;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;

/// The same steps on the machine's own GPU; skipped where there is none.
@Tag("gpu")
final class CudaStepRunnerGpuTest extends StepRunnerContract {
  @BeforeEach
  void aGpuIsAtHand() {
    assumeTrue(
        Devices.list().stream().anyMatch(device -> device.id().equals("cuda:0")),
        "no CUDA device is at hand");
  }

  /// The kernels of other architectures are chosen, too: newer devices run older PTX.
  @Override
  Accelerator open(Architecture architecture) {
    return new AccelerationAs(Devices.openAccelerator("cuda:0"), architecture);
  }
}

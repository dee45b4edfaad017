package io.rigmesh.worker.ptx;

import io.rigmesh.worker.cuda.PtxManifest;
import java.util.HashMap;
import java.util.Map;

/// Stages on the interpreter, which finds races, accesses out of bounds and what was never written.
final class StageInterpreter implements StageDevice {
  private static final PtxDevice DEVICE = new PtxDevice();
  private static final Map<String, PtxDevice.Module> MODULES = new HashMap<>();

  private final Map<String, PtxDevice.Module> changed;

  private StageInterpreter(Map<String, PtxDevice.Module> changed) {
    this.changed = changed;
  }

  /// With the PTX that this build ships.
  static StageInterpreter shared() {
    return new StageInterpreter(Map.of());
  }

  /// With other PTX for one kernel.
  static StageInterpreter with(String kernel, String ptx) {
    return new StageInterpreter(Map.of(kernel, DEVICE.load(ptx)));
  }

  @Override
  public DeviceBuffer allocate(String name, int bytes) {
    return DEVICE.memory().allocate(name, bytes);
  }

  @Override
  public void free(DeviceBuffer buffer) {
    DEVICE.memory().free(buffer);
  }

  @Override
  public void launch(
      String kernel, Extent grid, int threads, int sharedBytes, Object... arguments) {
    PtxDevice.Module module = changed.get(kernel);
    DEVICE.launch(
        module == null ? shipped(kernel) : module,
        kernel,
        grid,
        Extent.of(threads),
        sharedBytes,
        arguments);
  }

  private static PtxDevice.Module shipped(String kernel) {
    PtxManifest.Module module = PtxManifest.load().moduleOf(kernel);
    return MODULES.computeIfAbsent(module.name(), ignored -> DEVICE.load(module.ptx()));
  }

  @Override
  public void backwards(boolean descending) {
    DEVICE.backwards(descending);
  }
}

package io.rigmesh.worker.ptx;

/// What runs the kernels of a [KernelStage]: the interpreter, or a device with the same checks
/// around it.
interface StageDevice {
  /// A buffer whose contents no kernel may use before one wrote them; the host sees in it what the
  /// last launch left.
  DeviceBuffer allocate(String name, int bytes);

  /// Ends a buffer.
  void free(DeviceBuffer buffer);

  /// Runs a shipped kernel to its end.
  ///
  /// @param arguments each an Integer, a Long, a Float or a [DeviceBuffer]
  void launch(String kernel, Extent grid, int threads, int sharedBytes, Object... arguments);

  /// Asks for blocks in descending order, where the order can be chosen; no result may change.
  void backwards(boolean descending);
}

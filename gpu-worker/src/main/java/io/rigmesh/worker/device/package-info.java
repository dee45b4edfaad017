/// The devices of this machine on which jobs can run: the CPU always, CUDA devices where NVIDIA's
/// driver is.
@NullMarked
package io.rigmesh.worker.device;

import org.jspecify.annotations.NullMarked;

/// The exact engine on CUDA devices: the shipped PTX, the launch plans of a model's step, the
/// device's memory, and the driver that runs them.
@NullMarked
package io.rigmesh.worker.cuda;

import org.jspecify.annotations.NullMarked;

/// The engine: exact numerics, kernels, models, training, generation and embedding, and the worker
/// process that serves one device.
@NullMarked
package io.rigmesh.worker;

import org.jspecify.annotations.NullMarked;

/// The operations of profiles f32-v1 and i8-v1, their definitions to the bit, and the scalar
/// reference written from those alone.
@NullMarked
package io.rigmesh.worker.kernels;

import org.jspecify.annotations.NullMarked;

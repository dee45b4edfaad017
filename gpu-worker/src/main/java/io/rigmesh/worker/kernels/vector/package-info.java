/// The operations of profiles f32-v1 and i8-v1 on a CPU's vector unit; the only package that uses
/// jdk.incubator.vector.
@NullMarked
package io.rigmesh.worker.kernels.vector;

import org.jspecify.annotations.NullMarked;

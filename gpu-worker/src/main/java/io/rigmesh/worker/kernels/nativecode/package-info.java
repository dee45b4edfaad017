/// Machine code for what Java's Vector API cannot say: integer dot products, in a small library of
/// C that the jar carries.
@NullMarked
package io.rigmesh.worker.kernels.nativecode;

import org.jspecify.annotations.NullMarked;

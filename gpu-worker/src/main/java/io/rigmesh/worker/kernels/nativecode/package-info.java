/// Machine code for what Java's Vector API cannot say: integer dot products, and products of floats
/// whose weight is asked of memory ahead, in a small library of C that the jar carries.
@NullMarked
package io.rigmesh.worker.kernels.nativecode;

import org.jspecify.annotations.NullMarked;

/// Tests of the native library.
@NullMarked
package io.rigmesh.worker.kernels.nativecode;

import org.jspecify.annotations.NullMarked;

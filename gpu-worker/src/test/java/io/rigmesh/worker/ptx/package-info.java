/// An interpreter of the PTX that this project's kernels use, with the checks of a sanitizer, so
/// that the very text that ships is run in every build, GPU or not.
@NullMarked
package io.rigmesh.worker.ptx;

import org.jspecify.annotations.NullMarked;

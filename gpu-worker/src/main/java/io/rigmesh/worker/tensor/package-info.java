/// Dense row-major tensors: shape, element type and layout are visible where they are used.
@NullMarked
package io.rigmesh.worker.tensor;

import org.jspecify.annotations.NullMarked;

/// The Llama architecture: configuration, parameters, forward pass with a key-value cache, loss and
/// hand-written gradients.
@NullMarked
package io.rigmesh.worker.llama;

import org.jspecify.annotations.NullMarked;

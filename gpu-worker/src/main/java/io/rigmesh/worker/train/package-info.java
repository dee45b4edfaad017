/// Training a Llama: batches, schedule, optimiser state, steps and checkpoints, all recomputable
/// from a state and a step.
@NullMarked
package io.rigmesh.worker.train;

import org.jspecify.annotations.NullMarked;

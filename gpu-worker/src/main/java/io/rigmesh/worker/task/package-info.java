/// Runs one job on the engine: training, generation or embedding, with commitments, checkpoints
/// from which a killed process goes on, evidence, and output folders.
@NullMarked
package io.rigmesh.worker.task;

import org.jspecify.annotations.NullMarked;

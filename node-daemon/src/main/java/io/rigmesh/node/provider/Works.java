package io.rigmesh.node.provider;

import io.rigmesh.node.blob.Blobs;
import io.rigmesh.node.jobs.RefusedException;
import io.rigmesh.node.models.ModelShapes;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.MalformedException;
import io.rigmesh.protocol.RefusalCode;
import io.rigmesh.scheduler.estimate.Estimate;
import io.rigmesh.scheduler.estimate.ModelShape;
import io.rigmesh.scheduler.queue.Work;
import java.util.OptionalLong;

/// Makes of a job what the scheduler needs to know of it.
final class Works {
  private final Blobs blobs;
  private final ModelShapes shapes;
  private final long inputBytesMax;

  Works(Blobs blobs, long inputBytesMax) {
    this.blobs = blobs;
    this.shapes = new ModelShapes(blobs);
    this.inputBytesMax = inputBytesMax;
  }

  /// How long a job's input is.
  ///
  /// @throws RefusedException if it is not here, or too long
  long inputBytes(Job job) {
    return inputBytes(job, Supply.NONE);
  }

  /// How long a job's input is, or is said to be by whoever supplies it.
  ///
  /// @throws RefusedException if it is not here and nobody supplies it, or too long
  long inputBytes(Job job, Supply supply) {
    OptionalLong here = blobs.sizeBytes(job.input());
    long bytes =
        (here.isPresent() ? here : supply.inputBytes())
            .orElseThrow(() ->
                new RefusedException(
                    RefusalCode.UNKNOWN_INPUT,
                    "the input " + job.input() + " is not here; upload it first"));
    if (bytes > inputBytesMax) {
      throw new RefusedException(
          RefusalCode.TOO_LARGE,
          "the input has " + bytes + " bytes, and at most " + inputBytesMax + " are taken");
    }
    return bytes;
  }

  /// What the scheduler needs to know.
  ///
  /// @throws RefusedException if model or input are not here, or the model's folder is malformed
  Work of(Job job) {
    return of(job, inputBytes(job));
  }

  /// What the scheduler needs to know of a job whose model's weights and whose input may be
  /// elsewhere yet.
  ///
  /// @throws RefusedException if the model's manifest is not here, or its folder is malformed
  Work of(Job job, long inputBytes) {
    ModelShape shape;
    try {
      shape =
          shapes
              .of(job.task(), job.model())
              .orElseThrow(() ->
                  new RefusedException(
                      RefusalCode.UNKNOWN_MODEL,
                      "the model "
                          + job.model()
                          + " or one of its files is not here; upload the folder first"));
    } catch (MalformedException e) {
      throw new RefusedException(RefusalCode.UNKNOWN_MODEL, e.sentence());
    }
    return new Work(
        job.id(),
        job.task().kind(),
        job.model(),
        job.profile(),
        0,
        Math.multiplyExact(job.deadlineSeconds(), 1000L),
        Estimate.of(job.task(), shape, job.profile(), inputBytes));
  }

  /// The operations that a job really was, in the measure of its estimate.
  static double operations(Work work, Job job, long inputBytes, long tokens) {
    var bound = io.rigmesh.scheduler.pricing.Pricing.meterMax(job.task(), inputBytes);
    double most = Math.max(1, (double) bound.tokensIn() + bound.tokensOut());
    return work.estimate().operations() * Math.min(1, tokens / most);
  }
}

package io.rigmesh.node.pay;

import io.rigmesh.protocol.Acceptance;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.Task;
import io.rigmesh.protocol.TokenAmount;
import java.math.BigInteger;

/// What follows from a job alone about the parts in which it is proven and paid.
public final class MilestoneTerms {
  private MilestoneTerms() {}

  /// How many parts there are.
  public static int count(Job job) {
    return job.task() instanceof Task.Train train ? train.milestones() : 1;
  }

  /// The most that may have been asked for up to a part: its share of the job's limit.
  public static TokenAmount share(Job job, int number) {
    return new TokenAmount(
        job.priceMax()
            .units()
            .multiply(BigInteger.valueOf(number))
            .divide(BigInteger.valueOf(count(job))));
  }

  /// What a provider signs that takes the job on.
  public static Acceptance acceptance(Job job, Address provider) {
    return new Acceptance(
        job.id(), job.requester(), provider, job.priceMax(), job.deadlineSeconds(), count(job));
  }
}

package io.rigmesh.node.pay;

import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.JobKind;
import io.rigmesh.protocol.Meter;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.scheduler.pricing.Pricing;
import java.util.Map;

/// What a provider takes for one job that a channel pays.
///
/// @param rate what tokens cost
/// @param minimum the least that the job costs
/// @param creditLimit what all jobs of the channel may owe together before their work pauses
public record Tariff(Pricing.Rate rate, TokenAmount minimum, TokenAmount creditLimit) {
  /// What a job costs that used so much: never more than its limit.
  public TokenAmount price(Job job, Meter meter) {
    JobKind kind = job.task().kind();
    return pricing(kind).price(kind, meter, job.priceMax());
  }

  /// The most that a job can cost, whatever its limit says.
  public TokenAmount priceMost(Job job, long inputBytes) {
    return pricing(job.task().kind()).quoteMax(job.task(), inputBytes);
  }

  private Pricing pricing(JobKind kind) {
    TokenAmount one = TokenAmount.of(1);
    return new Pricing(Map.of(kind, rate), minimum.compareTo(one) < 0 ? one : minimum);
  }
}

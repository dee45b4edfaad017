package io.rigmesh.scheduler.pricing;

import io.rigmesh.protocol.JobKind;
import io.rigmesh.protocol.Meter;
import io.rigmesh.protocol.Task;
import io.rigmesh.protocol.TokenAmount;
import java.math.BigInteger;
import java.util.EnumMap;
import java.util.Map;

/// What a provider asks. Both sides reckon with the same rules: the requester before it funds a
/// job, the provider before it takes one and when it asks for its money.
///
/// @param rates what each kind of work costs; a kind without a rate is not offered
/// @param minimum the least that any job costs, at least 1, since an escrow cannot hold nothing
public record Pricing(Map<JobKind, Rate> rates, TokenAmount minimum) {
  private static final BigInteger MILLION = BigInteger.valueOf(1_000_000);

  /// The price of one kind of work.
  ///
  /// @param perMillionIn for a million tokens read
  /// @param perMillionOut for a million tokens made
  public record Rate(TokenAmount perMillionIn, TokenAmount perMillionOut) {}

  /// Copies the map and checks the minimum.
  public Pricing {
    rates = Map.copyOf(rates);
    if (minimum.units().signum() == 0) {
      throw new IllegalArgumentException("the least price of a job is at least 1");
    }
  }

  /// True if this kind of work is offered.
  public boolean offers(JobKind kind) {
    return rates.containsKey(kind);
  }

  /// The most that a job can cost, reckoned before it runs. A tokenizer makes at most one token of
  /// a byte; around each text (a prompt, or one of the sentences, of which there are no more than
  /// bytes) stand at most two more, and in a chat what its template may add.
  ///
  /// @param inputBytes the input blob's length
  /// @throws IllegalArgumentException if the kind is not offered
  public TokenAmount quoteMax(Task task, long inputBytes) {
    return ask(task.kind(), meterMax(task, inputBytes));
  }

  /// What a job costs after it ran: never more than its limit.
  ///
  /// @param priceMax the limit that the requester signed
  /// @throws IllegalArgumentException if the kind is not offered
  public TokenAmount price(JobKind kind, Meter meter, TokenAmount priceMax) {
    TokenAmount ask = ask(kind, meter);
    return ask.compareTo(priceMax) <= 0 ? ask : priceMax;
  }

  /// The most that a job can use.
  ///
  /// @param inputBytes the input blob's length
  public static Meter meterMax(Task task, long inputBytes) {
    return switch (task) {
      case Task.Train t -> {
        // At most 10^6 * 2^10 * 2^13, far below 2^63.
        yield new Meter((long) t.steps() * t.batch() * t.context(), 0, t.steps());
      }
      case Task.Generate t ->
          new Meter(t.promptTokensMax(inputBytes), t.maxTokens(), t.maxTokens());
      // The text of n bytes has at most n + 1 lines, and each may gain two tokens.
      case Task.Embed _ ->
          new Meter(
              Math.addExact(Math.multiplyExact(3L, inputBytes), 2),
              0,
              Math.addExact(inputBytes, 1));
    };
  }

  private TokenAmount ask(JobKind kind, Meter meter) {
    Rate rate = rates.get(kind);
    if (rate == null) {
      throw new IllegalArgumentException("no price is set for jobs of kind " + kind.id());
    }
    BigInteger millionths =
        rate.perMillionIn()
            .units()
            .multiply(BigInteger.valueOf(meter.tokensIn()))
            .add(rate.perMillionOut().units().multiply(BigInteger.valueOf(meter.tokensOut())));
    // Rounded up, so that no work is free.
    BigInteger units = millionths.add(MILLION.subtract(BigInteger.ONE)).divide(MILLION);
    return new TokenAmount(units.max(minimum.units()));
  }

  /// Prices from a rate for each kind.
  public static Pricing of(Map<JobKind, Rate> rates, TokenAmount minimum) {
    return new Pricing(new EnumMap<>(rates), minimum);
  }
}

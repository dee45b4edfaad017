package io.rigmesh.ledger.channel;

import static io.rigmesh.ledger.channel.Books.hash;

import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.TokenAmount;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/// What a requester and a provider do in a schedule, and who of them is killed when: all of it
/// drawn from the seed, the same each time.
///
/// @param seed the seed
/// @param jobs what is paid by channels, one after the other
/// @param training what is paid in milestones by the escrow, beside the jobs
/// @param kills the kills, one after the other
/// @param hedges true if an endpoint that is slow is not waited for before the next one is asked
record FaultSchedule(
    long seed, List<Work> jobs, Training training, List<Kill> kills, boolean hedges) {
  /// What the requester has of the token at first.
  static final TokenAmount WALLET = TokenAmount.of(20_000_000);

  /// The two nodes.
  enum Side {
    REQUESTER,
    PROVIDER
  }

  /// Who is killed while who lives.
  enum Victim {
    REQUESTER,
    PROVIDER,
    BOTH
  }

  /// A SIGKILL.
  ///
  /// @param victim who dies
  /// @param side whose steps are counted
  /// @param steps after how many of them
  record Kill(Victim victim, Side side, int steps) {}

  /// One job that a channel pays.
  ///
  /// @param id its hash
  /// @param price what it costs in the end
  /// @param priceMax what it may cost
  /// @param steps in how many payments
  /// @param leaves true if its channel is left afterwards
  record Work(Hash id, long price, long priceMax, int steps, boolean leaves) {}

  /// One job that the escrow pays.
  ///
  /// @param id its hash
  /// @param amount what is locked for it
  /// @param parts its milestones, as many as are done
  /// @param milestones how many it has; where not all are done, the provider gives the rest back
  record Training(Hash id, long amount, List<Part> parts, int milestones) {
    /// What all of its parts cost.
    long price() {
      return parts.stream().mapToLong(Part::due).sum();
    }
  }

  /// One milestone that is done.
  ///
  /// @param due what it costs
  /// @param approved true if the requester's signature pays it, false if it is proven and released
  record Part(long due, boolean approved) {}

  static FaultSchedule of(long seed) {
    // Seeds that are near to each other would begin with numbers that are near to each other.
    Random random = new Random(hash("schedule " + seed).hashCode());
    List<Work> jobs = new ArrayList<>();
    int count = 2 + random.nextInt(3);
    for (int i = 0; i < count; i++) {
      long price = 1 + random.nextInt(900_000);
      jobs.add(
          new Work(
              hash("job " + i + " of " + seed),
              price,
              price + random.nextInt(300_000),
              1 + random.nextInt(4),
              random.nextInt(3) == 0));
    }
    List<Kill> kills = new ArrayList<>();
    for (int i = random.nextInt(4) == 0 ? 2 : 1; i > 0; i--) {
      Victim victim = Victim.values()[random.nextInt(Victim.values().length)];
      Side either = Side.values()[random.nextInt(Side.values().length)];
      Side side =
          switch (victim) {
            case REQUESTER -> Side.REQUESTER;
            case PROVIDER -> Side.PROVIDER;
            case BOTH -> either;
          };
      // Both do more than this in every schedule.
      kills.add(new Kill(victim, side, 1 + random.nextInt(18)));
    }
    return new FaultSchedule(
        seed, List.copyOf(jobs), training(seed, random), List.copyOf(kills), random.nextBoolean());
  }

  private static Training training(long seed, Random random) {
    int milestones = 2 + random.nextInt(2);
    long each = 1 + random.nextInt(400_000);
    int done = random.nextInt(4) == 0 ? milestones - 1 : milestones;
    List<Part> parts = new ArrayList<>();
    for (int i = 0; i < done; i++) {
      parts.add(new Part(1 + random.nextInt((int) each), random.nextInt(3) > 0));
    }
    return new Training(
        hash("training of " + seed), each * milestones, List.copyOf(parts), milestones);
  }

  /// What all jobs cost that channels pay.
  long price() {
    return jobs.stream().mapToLong(Work::price).sum();
  }

  /// The key of a side.
  AccountKey key(Side side) {
    return key(seed + "'s " + side);
  }

  /// A key that a name gives.
  static AccountKey key(String name) {
    return AccountKey.of(hash("the key of " + name).bytes());
  }
}

package io.rigmesh.node.provider;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.JobKind;
import io.rigmesh.protocol.Meter;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.scheduler.pricing.Pricing;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/// Jobs of one channel at work on credit, paid at any time, late, or not at all.
class ChannelCreditPropertyTest {
  /// A channel with jobs, its workers and its requester.
  private static final class World {
    final Random random;
    final long limit;
    final ChannelCredit credit;
    final Pricing pricing;
    final List<Working> jobs = new ArrayList<>();

    /// What ended jobs owe.
    BigInteger ended = BigInteger.ZERO;

    BigInteger paid = BigInteger.ZERO;
    BigInteger dearestStep = BigInteger.ZERO;
    int made;

    final class Working {
      final Hash id = Hash.fromHex("%064x".formatted(++made));
      final long prompt = random.nextInt(50);
      final long priceMax = random.nextInt(8) == 0 ? 40 + random.nextInt(400) : Long.MAX_VALUE;
      long used;
      long allowed;
      TokenAmount owed = TokenAmount.ZERO;

      TokenAmount price(long tokens) {
        return pricing.price(
            JobKind.GENERATE, new Meter(prompt, tokens, tokens), TokenAmount.of(priceMax));
      }

      /// What the next token costs more.
      BigInteger step() {
        return price(used + 1).units().subtract(owed.units());
      }
    }

    World(long seed, long limit, long in, long out, long minimum) {
      this.random = new Random(seed);
      this.limit = limit;
      this.credit = new ChannelCredit(TokenAmount.of(limit));
      this.pricing =
          new Pricing(
              Map.of(
                  JobKind.GENERATE,
                  new Pricing.Rate(
                      TokenAmount.of(in * 1_000_000), TokenAmount.of(out * 1_000_000))),
              TokenAmount.of(minimum));
    }

    BigInteger unpaid() {
      BigInteger sum = ended;
      for (Working job : jobs) {
        sum = sum.add(job.owed.units());
      }
      return sum.subtract(paid).max(BigInteger.ZERO);
    }

    void look() {
      credit.owes(new TokenAmount(unpaid()));
    }

    void allowAll() {
      for (Hash id : credit.inTurn()) {
        Working job = jobs.stream().filter(one -> one.id.equals(id)).findFirst().orElseThrow();
        long allowed = credit.allow(id);
        assertThat(allowed).isGreaterThanOrEqualTo(job.allowed);
        job.allowed = allowed;
      }
    }

    Working begin() {
      Working job = new Working();
      jobs.add(job);
      credit.begin(job.id, TokenAmount.ZERO, job::price, ChannelCredit.AHEAD_MADE_MAX);
      job.allowed = credit.allow(job.id);
      return job;
    }

    /// A worker makes a token if it may, whatever the requester does meanwhile.
    boolean make(Working job) {
      if (job.used >= job.allowed) {
        assertThat(credit.waits(job.id)).isTrue();
        return false;
      }
      BigInteger step = job.step();
      job.used++;
      TokenAmount more = credit.use(job.id, job.used);
      job.owed = job.owed.plus(more);
      assertThat(more.units()).isEqualTo(step);
      assertThat(job.owed).isEqualTo(job.price(job.used));
      dearestStep = dearestStep.max(step);
      assertThat(unpaid()).isLessThanOrEqualTo(big(limit).add(dearestStep));
      long allowed = credit.allow(job.id);
      assertThat(allowed).isGreaterThanOrEqualTo(job.allowed);
      job.allowed = allowed;
      return true;
    }

    /// A requester keeps a unit of each job back.
    void payAllButUnits() {
      BigInteger due = ended;
      for (Working job : jobs) {
        due = due.add(job.owed.units().subtract(BigInteger.ONE).max(BigInteger.ZERO));
      }
      paid = paid.max(due);
      look();
    }

    void end(Working job) {
      jobs.remove(job);
      ended = ended.add(job.owed.units());
      credit.end(job.id);
      look();
    }
  }

  private static BigInteger big(long value) {
    return BigInteger.valueOf(value);
  }

  @Property(tries = 300)
  void aChannelNeverOwesMoreThanItsLimitAndOneStepHoweverItIsPaid(
      @ForAll long seed,
      @ForAll @IntRange(min = 0, max = 5_000) int limit,
      @ForAll @IntRange(min = 0, max = 30) int in,
      @ForAll @IntRange(min = 0, max = 30) int out,
      @ForAll @IntRange(min = 1, max = 700) int minimum) {
    World world = new World(seed, limit, in, out, minimum);
    for (int i = 0; i < 400; i++) {
      int what = world.random.nextInt(100);
      if (world.jobs.isEmpty() || (what < 4 && world.jobs.size() < 12)) {
        world.begin();
        continue;
      }
      World.Working job = world.jobs.get(world.random.nextInt(world.jobs.size()));
      if (what < 80) {
        for (int tokens = world.random.nextInt(20); tokens > 0 && world.make(job); tokens--) {}
      } else if (what < 90) {
        // Somebody pays a part, and the provider hears of it now or later.
        BigInteger part = world.unpaid().multiply(big(world.random.nextInt(101))).divide(big(100));
        world.paid = world.paid.add(part);
        if (world.random.nextBoolean()) {
          world.look();
          world.allowAll();
        }
      } else if (what < 93) {
        world.end(job);
      } else if (what < 96) {
        // Its worker let it go; what it was allowed beyond what it used is others' again.
        world.credit.rest(job.id);
        job.allowed = job.used;
      } else {
        world.look();
        world.allowAll();
      }
    }
  }

  @Property(tries = 200)
  void anHonestRequestersJobsAllGoOnAfterEachPayment(
      @ForAll long seed,
      @ForAll @IntRange(min = 1, max = 8) int jobs,
      @ForAll @IntRange(min = 100, max = 5_000) int limit,
      @ForAll @IntRange(min = 1, max = 30) int out) {
    World world = new World(seed, limit, 3, out, 1);
    for (int i = 0; i < jobs; i++) {
      world.begin();
    }
    for (int round = 0; round < 10 * jobs; round++) {
      long[] before = world.jobs.stream().mapToLong(job -> job.used).toArray();
      // Each makes what it may until all wait; then the requester pays what is due.
      boolean any = true;
      while (any) {
        any = false;
        for (World.Working job : world.jobs) {
          // One whose price limit is reached costs no more, and waits for nobody.
          any |= job.used < 3_000 && world.make(job);
        }
      }
      world.payAllButUnits();
      assertThat(world.credit.isMostlyPaid(jobs)).isTrue();
      world.allowAll();
      assertThat(world.jobs)
          .as("some go on")
          .anyMatch(job -> job.used >= 3_000 || job.allowed > job.used);
      if (round >= jobs) {
        assertThat(before).as("each had its turn").doesNotContain(0);
      }
    }
  }

  /// The prompt counts with the first token, whatever it costs.
  @Example
  void aPromptAboveTheLimitIsReadWhenNothingElseIsOwedAboveItAndThenWaits() {
    World world = new World(1, 100, 1_000, 10, 1);
    World.Working job = world.begin();
    assertThat(job.allowed).isEqualTo(1);
    assertThat(world.make(job)).isTrue();
    assertThat(world.make(job)).isFalse();
    World.Working second = world.begin();
    assertThat(second.allowed).as("beside a debt above the limit").isZero();
    world.payAllButUnits();
    world.allowAll();
    assertThat(job.allowed).isGreaterThan(1);
  }

  @Example
  void eightJobsBeginAtOnceOnTheCreditOfOneChannel() {
    World world = new World(1, 1_000, 0, 10, 1);
    for (int i = 0; i < 8; i++) {
      assertThat(world.begin().allowed).as("job %d", i).isGreaterThanOrEqualTo(1);
    }
  }
}

package io.rigmesh.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class RoundsTest {
  private static final Duration NEVER = Duration.ofDays(1);
  private static final Rounds.Words WORDS = new Rounds.Words("it waits", "it goes on");

  @Test
  void aRoundComesWhenItIsWokenAndNotBefore() throws InterruptedException {
    Semaphore done = new Semaphore(0);
    try (Rounds rounds = Rounds.of("test", NEVER, WORDS, done::release)) {
      rounds.start();
      assertThat(done.tryAcquire()).isFalse();
      rounds.wake();
      assertThat(done.tryAcquire(30, TimeUnit.SECONDS)).isTrue();
      rounds.wake();
      assertThat(done.tryAcquire(30, TimeUnit.SECONDS)).isTrue();
    }
    assertThat(done.availablePermits()).isZero();
  }

  @Test
  void roundsComeByThemselvesAfterTheirInterval() throws InterruptedException {
    CountDownLatch three = new CountDownLatch(3);
    try (Rounds rounds = Rounds.of("test", Duration.ofMillis(1), WORDS, three::countDown)) {
      rounds.start();
      assertThat(three.await(30, TimeUnit.SECONDS)).isTrue();
    }
  }

  @Test
  void whoWakesARunningRoundGetsAnotherBehindIt() throws InterruptedException {
    Semaphore begun = new Semaphore(0);
    Semaphore mayEnd = new Semaphore(0);
    try (Rounds rounds =
        Rounds.of(
            "test",
            NEVER,
            WORDS,
            () -> {
              begun.release();
              mayEnd.acquireUninterruptibly();
            })) {
      rounds.start();
      rounds.wake();
      assertThat(begun.tryAcquire(30, TimeUnit.SECONDS)).isTrue();
      rounds.wake();
      mayEnd.release(2);
      assertThat(begun.tryAcquire(30, TimeUnit.SECONDS)).isTrue();
    }
  }

  @Test
  void aRoundThatFailsIsFollowedByOthers() throws InterruptedException {
    AtomicInteger count = new AtomicInteger();
    CountDownLatch third = new CountDownLatch(1);
    try (Rounds rounds =
        Rounds.of(
            "test",
            Duration.ofMillis(1),
            WORDS,
            () -> {
              switch (count.incrementAndGet()) {
                case 1 -> throw new LedgerException("the chain is away");
                case 2 -> throw new IllegalStateException("a fault of our own");
                default -> third.countDown();
              }
            })) {
      rounds.start();
      assertThat(third.await(30, TimeUnit.SECONDS)).isTrue();
    }
  }

  @Test
  void thereIsNoRoundAfterTheClose() {
    AtomicInteger count = new AtomicInteger();
    Rounds rounds = Rounds.of("test", Duration.ofMillis(1), WORDS, count::incrementAndGet);
    rounds.start();
    rounds.close();
    int then = count.get();
    rounds.wake();
    assertThat(rounds.isClosing()).isTrue();
    assertThat(count.get()).isEqualTo(then);
  }
}

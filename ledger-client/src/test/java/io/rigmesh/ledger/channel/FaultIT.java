package io.rigmesh.ledger.channel;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.ledger.Party;
import io.rigmesh.ledger.dev.AnvilBinary;
import io.rigmesh.ledger.dev.Deployment;
import io.rigmesh.ledger.dev.DevChain;
import io.rigmesh.ledger.dev.DevDeployment;
import io.rigmesh.ledger.intent.SendListener;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.TokenAmount;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Random schedules, each by its seed: a requester and a provider, each a process of its own with
/// two endpoints that fail, pay by channels and by the escrow on a chain that reorganises, with
/// fees that spike and clocks that jump. In each of them one of the two is ended by SIGKILL while
/// the other lives, or both are, once or more, and begun again on their stores. In the end every
/// unit is where it belongs. `-Drigmesh.fault.schedules=200` runs as many, from the seed of
/// `-Drigmesh.fault.seed` on.
///
/// The seed decides on keys, jobs, payments and what becomes of them, who is killed after how many
/// steps, and the order in which faults, reorganisations, spikes and jumps come. It does not decide
/// how the threads of the processes and the blocks interleave, nor the salts of channels, so a seed
/// that is run again meets the same faults at other moments; what must hold in the end does not
/// depend on them.
class FaultIT {
  private static final Logger LOG = LoggerFactory.getLogger(FaultIT.class);
  private static final int SCHEDULES = Integer.getInteger("rigmesh.fault.schedules", 10);
  private static final long FIRST_SEED = Long.getLong("rigmesh.fault.seed", 1);

  /// So many schedules have something of everything. Fewer are run to see one again.
  private static final int ENOUGH = 10;

  /// A chain that lives too long is slow.
  private static final int SCHEDULES_PER_CHAIN = 25;

  private static final Duration CHALLENGE = Duration.ofHours(16);
  private static final Duration SILENCE_MAX = Duration.ofMinutes(10);
  private static final int FAULTS_PERMILLE = 60;

  @TempDir Path folder;

  /// What happened in all schedules, so that a test that tests nothing is seen.
  private final Map<FaultyEndpoint.Fault, Integer> faults =
      new EnumMap<>(FaultyEndpoint.Fault.class);

  private final Map<FaultyChain.Event, Integer> events = new EnumMap<>(FaultyChain.Event.class);
  private final Map<FaultSchedule.Victim, Integer> kills =
      new EnumMap<>(FaultSchedule.Victim.class);
  private final LinkedBlockingQueue<FaultProcess.Message> messages = new LinkedBlockingQueue<>();

  /// The processes, which work on one schedule after the other until they are killed.
  private final Map<FaultSchedule.Side, FaultProcess> processes =
      new EnumMap<>(FaultSchedule.Side.class);

  @AfterEach
  void endProcesses() {
    processes.values().forEach(FaultProcess::close);
  }

  @Test
  void everyUnitIsAccountedForWhateverFails() throws Exception {
    List<String> failures = new ArrayList<>();
    int done = 0;
    while (done < SCHEDULES) {
      int count = Math.min(SCHEDULES_PER_CHAIN, SCHEDULES - done);
      try (DevChain chain =
              DevChain.start(DevChain.Settings.standard(AnvilBinary.find(Path.of(""))));
          Party rich = rich(chain, FIRST_SEED + done)) {
        Deployment deployment =
            new DevDeployment(
                    new TokenAmount(BigInteger.TEN.pow(18)), Duration.ofDays(1), CHALLENGE)
                .deploy(rich.sender(), Party.TIMEOUT);
        for (int i = 0; i < count; i++) {
          long seed = FIRST_SEED + done + i;
          long begun = System.nanoTime();
          try {
            run(FaultSchedule.of(seed), chain, rich, deployment);
          } catch (Exception | AssertionError e) {
            LOG.error("the schedule of seed {} failed", seed, e);
            failures.add("seed " + seed + ": " + e);
            endProcesses();
            processes.clear();
          }
          LOG.info("seed {} took {} ms", seed, (System.nanoTime() - begun) / 1_000_000);
        }
      }
      done += count;
    }
    LOG.info("{} schedules: killed {}, {}, {}", done, kills, faults, events);
    assertThat(failures).isEmpty();
    if (SCHEDULES >= ENOUGH) {
      assertThat(faults).containsKeys(FaultyEndpoint.Fault.values());
      assertThat(events).containsKeys(FaultyChain.Event.values());
    }
    assertThat(kills.values().stream().mapToInt(Integer::intValue).sum())
        .as("somebody was killed in every schedule")
        .isGreaterThanOrEqualTo(done);
  }

  private Party rich(DevChain chain, long seed) {
    AccountKey key = FaultSchedule.key("who gives to " + seed);
    chain.setBalance(key.address(), BigInteger.TEN.pow(21));
    return Party.open(key, folder.resolve("rich-" + seed + ".db"), chain);
  }

  private void run(FaultSchedule schedule, DevChain chain, Party rich, Deployment deployment)
      throws Exception {
    long seed = schedule.seed();
    Path stores = Files.createDirectory(folder.resolve("seed-" + seed));
    Path contracts = stores.resolve("deployment.json");
    deployment.write(contracts);
    Address requester = schedule.key(FaultSchedule.Side.REQUESTER).address();
    chain.setBalance(requester, FaultReckoning.ETHER);
    chain.setBalance(schedule.key(FaultSchedule.Side.PROVIDER).address(), FaultReckoning.ETHER);
    rich.token(deployment).transfer(requester, FaultSchedule.WALLET, "seed " + seed);
    TokenAmount channelsHeld = rich.token(deployment).balance(deployment.channels());
    TokenAmount escrowHeld = rich.token(deployment).balance(deployment.escrow());
    long start = rich.rpc().head().timestamp().getEpochSecond();
    try (FaultyEndpoint ofRequester =
            new FaultyEndpoint(chain.endpoint(), 2 * seed, FaultNode.REQUEST_MAX);
        FaultyEndpoint ofProvider =
            new FaultyEndpoint(chain.endpoint(), 2 * seed + 1, FaultNode.REQUEST_MAX);
        FaultyChain blocks = new FaultyChain(chain, seed)) {
      ofRequester.setFaults(FAULTS_PERMILLE);
      ofProvider.setFaults(FAULTS_PERMILLE);
      Map<FaultSchedule.Side, FaultNode.Place> places =
          Map.of(
              FaultSchedule.Side.REQUESTER,
              new FaultNode.Place(stores, deployment, ofRequester.endpoints(), start),
              FaultSchedule.Side.PROVIDER,
              new FaultNode.Place(stores, deployment, ofProvider.endpoints(), start));
      new Runs(schedule, contracts, places, blocks).work();
      for (FaultyEndpoint endpoint : List.of(ofRequester, ofProvider)) {
        endpoint.setFaults(0);
        endpoint.done().forEach((fault, times) -> faults.merge(fault, times, Integer::sum));
      }
      blocks.calm();
      try (FaultNode ours = open(schedule, FaultSchedule.Side.REQUESTER, places);
          FaultNode theirs = open(schedule, FaultSchedule.Side.PROVIDER, places)) {
        FaultReckoning reckoning =
            new FaultReckoning(schedule, ours, theirs, deployment, channelsHeld, escrowHeld);
        reckoning.settle(blocks, CHALLENGE);
        reckoning.check();
      }
      blocks.done().forEach((event, times) -> events.merge(event, times, Integer::sum));
    }
  }

  private static FaultNode open(
      FaultSchedule schedule,
      FaultSchedule.Side side,
      Map<FaultSchedule.Side, FaultNode.Place> places) {
    return FaultNode.open(schedule, side, places.get(side), SendListener.NONE, Clock.systemUTC());
  }

  /// The processes' work on one schedule, with its kills.
  private final class Runs {
    private final FaultSchedule schedule;
    private final Path contracts;
    private final Map<FaultSchedule.Side, FaultNode.Place> places;
    private final FaultyChain blocks;
    private final Deque<FaultSchedule.Kill> ahead;
    private Optional<FaultSchedule.Kill> armed = Optional.empty();
    private boolean stopping;

    /// Whose processes were begun and have not opened their stores.
    private final Set<FaultSchedule.Side> starting = EnumSet.noneOf(FaultSchedule.Side.class);

    private int run;

    Runs(
        FaultSchedule schedule,
        Path contracts,
        Map<FaultSchedule.Side, FaultNode.Place> places,
        FaultyChain blocks) {
      this.schedule = schedule;
      this.contracts = contracts;
      this.places = places;
      this.blocks = blocks;
      this.ahead = new ArrayDeque<>(schedule.kills());
    }

    /// Returns when the requester has done everything and both have closed their stores.
    void work() throws InterruptedException {
      // What a kill of the last schedule did not come to counts no more.
      for (FaultSchedule.Side side : FaultSchedule.Side.values()) {
        process(side).tell(FaultChild.DIE + "\t-1");
      }
      arm();
      begin(FaultSchedule.Side.PROVIDER);
      begin(FaultSchedule.Side.REQUESTER);
      await(FaultSchedule.Side.REQUESTER);
      stopping = true;
      FaultProcess provider = process(FaultSchedule.Side.PROVIDER);
      provider.tell(FaultChild.DIE + "\t-1");
      provider.tell(FaultChild.STOP);
      await(FaultSchedule.Side.PROVIDER);
      blocks.slow(false);
    }

    private void arm() {
      armed = Optional.ofNullable(ahead.poll());
      armed.ifPresent(kill -> process(kill.side()).tell(FaultChild.DIE + "\t" + kill.steps()));
    }

    private void begin(FaultSchedule.Side side) {
      starting.add(side);
      blocks.slow(true);
      process(side).tell(FaultChild.work(schedule.seed(), side, run, contracts, places.get(side)));
    }

    private FaultProcess process(FaultSchedule.Side side) {
      return processes.computeIfAbsent(side, s -> new FaultProcess(messages));
    }

    private void await(FaultSchedule.Side awaited) throws InterruptedException {
      while (true) {
        FaultProcess.Message message = messages.poll(SILENCE_MAX.toSeconds(), TimeUnit.SECONDS);
        assertThat(message).as("what a process says in " + SILENCE_MAX).isNotNull();
        Optional<FaultSchedule.Side> from =
            processes.entrySet().stream()
                .filter(e -> e.getValue() == message.from())
                .map(Map.Entry::getKey)
                .findFirst();
        if (from.isEmpty()) {
          continue; // Of one that was killed.
        }
        String[] words = message.what().split(" ", 2);
        switch (words[0]) {
          case "opened" -> {
            starting.remove(from.get());
            blocks.slow(!starting.isEmpty());
          }
          case "leaving" -> blocks.almost(Long.parseLong(words[1]), CHALLENGE);
          case "over" -> blocks.passTo(Long.parseLong(words[1]) + 1);
          case "dies" -> LOG.info("seed {}: {} {}", schedule.seed(), from.get(), message.what());
          case "failed" ->
              throw new AssertionError("the " + from.get() + " says:\n" + message.from().said());
          case "done" -> {
            if (from.get() == awaited) {
              return;
            }
          }
          case FaultProcess.DEAD -> {
            if (died(from.get(), message.from())) {
              return;
            }
          }
          default -> throw new AssertionError("nobody knows what this means: " + message.what());
        }
      }
    }

    /// One is dead: as the schedule says, alone or with the other one. They are begun again, but a
    /// provider that was only to stop.
    private boolean died(FaultSchedule.Side side, FaultProcess process) {
      assertThat(process.exitValue())
          .as(() -> "how the " + side + " ended:\n" + process.said())
          .isEqualTo(128 + 9);
      FaultSchedule.Kill kill =
          armed.orElseThrow(() -> new AssertionError("nobody killed the " + side));
      processes.remove(side);
      FaultSchedule.Victim victim = stopping ? FaultSchedule.Victim.PROVIDER : kill.victim();
      kills.merge(victim, 1, Integer::sum);
      if (stopping) {
        return true;
      }
      run++;
      List<FaultSchedule.Side> dead = new ArrayList<>(List.of(side));
      if (victim == FaultSchedule.Victim.BOTH) {
        for (FaultSchedule.Side other : FaultSchedule.Side.values()) {
          if (other != side) {
            FaultProcess alive = process(other);
            alive.kill();
            int _ = alive.exitValue();
            processes.remove(other);
            dead.add(other);
          }
        }
      }
      arm();
      dead.forEach(this::begin);
      return false;
    }
  }
}

package io.rigmesh.ledger.channel;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.ledger.LedgerException;
import io.rigmesh.ledger.Party;
import io.rigmesh.ledger.dev.AnvilBinary;
import io.rigmesh.ledger.dev.Deployment;
import io.rigmesh.ledger.dev.DevChain;
import io.rigmesh.ledger.dev.DevDeployment;
import io.rigmesh.ledger.intent.Intent;
import io.rigmesh.ledger.intent.SendListener;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.TokenAmount;
import java.io.BufferedReader;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Random schedules, each by its seed: a requester and a provider work over endpoints that fail, on
/// a chain that reorganises, with fees that spike and clocks that jump, and are killed. In the end
/// every unit is where it belongs. `-Drigmesh.fault.schedules=200` runs as many, from the seed of
/// `-Drigmesh.fault.seed` on.
class FaultIT {
  private static final Logger LOG = LoggerFactory.getLogger(FaultIT.class);
  private static final int SCHEDULES = Integer.getInteger("rigmesh.fault.schedules", 10);
  private static final long FIRST_SEED = Long.getLong("rigmesh.fault.seed", 1);

  /// Every so many schedules have real processes that get a real SIGKILL.
  private static final int KILLED_EVERY = 5;

  /// A chain that lives too long is slow.
  private static final int SCHEDULES_PER_CHAIN = 25;

  private static final BigInteger ETHER = BigInteger.TEN.pow(18);
  private static final TokenAmount WALLET = TokenAmount.of(20_000_000);
  private static final Duration CHALLENGE = Duration.ofDays(10);
  private static final int FAULTS_PERMILLE = 60;

  @TempDir Path folder;

  /// What happened in all schedules, so that a test that tests nothing is seen.
  private final Map<FaultyEndpoint.Fault, Integer> faults =
      new EnumMap<>(FaultyEndpoint.Fault.class);

  private final Map<FaultyChain.Event, Integer> events = new EnumMap<>(FaultyChain.Event.class);
  private int crashes;
  private int kills;

  @Test
  void everyUnitIsAccountedForWhateverFails() throws Exception {
    List<String> failures = new ArrayList<>();
    int done = 0;
    while (done < SCHEDULES) {
      int count = Math.min(SCHEDULES_PER_CHAIN, SCHEDULES - done);
      try (DevChain chain =
              DevChain.start(DevChain.Settings.standard(AnvilBinary.find(Path.of(""))));
          Party rich = rich(chain)) {
        Deployment deployment =
            new DevDeployment(
                    new TokenAmount(BigInteger.TEN.pow(18)), Duration.ofDays(1), CHALLENGE)
                .deploy(rich.sender(), Party.TIMEOUT);
        for (int i = 0; i < count; i++) {
          long seed = FIRST_SEED + done + i;
          long begun = System.nanoTime();
          try {
            run(seed, chain, rich, deployment);
          } catch (Exception | AssertionError e) {
            LOG.error("the schedule of seed {} failed", seed, e);
            failures.add("seed " + seed + ": " + e);
          }
          LOG.info("seed {} took {} ms", seed, (System.nanoTime() - begun) / 1_000_000);
        }
      }
      done += count;
    }
    LOG.info("{} schedules: {} crashes, {} kills, {}, {}", done, crashes, kills, faults, events);
    assertThat(failures).isEmpty();
    assertThat(faults).containsKeys(FaultyEndpoint.Fault.values());
    assertThat(events).containsKeys(FaultyChain.Event.values());
    assertThat(crashes).isPositive();
    assertThat(kills).isPositive();
  }

  private Party rich(DevChain chain) {
    AccountKey key = AccountKey.generate();
    chain.setBalance(key.address(), ETHER.multiply(BigInteger.valueOf(1_000)));
    return Party.open(key, folder.resolve("rich-" + key.address() + ".db"), chain);
  }

  private void run(long seed, DevChain chain, Party rich, Deployment deployment) throws Exception {
    Random random = new Random(seed);
    Path stores = Files.createDirectory(folder.resolve("seed-" + seed));
    AccountKey requesterKey = AccountKey.generate();
    AccountKey providerKey = AccountKey.generate();
    chain.setBalance(requesterKey.address(), ETHER);
    chain.setBalance(providerKey.address(), ETHER);
    rich.token(deployment).transfer(requesterKey.address(), WALLET, "seed " + seed);
    TokenAmount heldBefore = rich.token(deployment).balance(deployment.channels());
    try (FaultyEndpoint requesterEndpoint = new FaultyEndpoint(chain.endpoint(), 2 * seed);
        FaultyEndpoint providerEndpoint = new FaultyEndpoint(chain.endpoint(), 2 * seed + 1);
        FaultyChain blocks = new FaultyChain(chain, seed)) {
      FaultSchedule schedule =
          new FaultSchedule(
              seed,
              stores,
              deployment,
              requesterKey,
              providerKey,
              requesterEndpoint.endpoint(),
              providerEndpoint.endpoint());
      requesterEndpoint.setFaults(FAULTS_PERMILLE);
      providerEndpoint.setFaults(FAULTS_PERMILLE);
      int run = 0;
      if (seed % KILLED_EVERY == 0) {
        deployment.write(stores.resolve("deployment.json"));
        String[] arguments = {
          Long.toString(seed),
          stores.toString(),
          stores.resolve("deployment.json").toString(),
          HexFormat.of().formatHex(requesterKey.secret()),
          HexFormat.of().formatHex(providerKey.secret()),
          requesterEndpoint.endpoint().toString(),
          providerEndpoint.endpoint().toString(),
        };
        for (int kill = 1 + random.nextInt(2); kill > 0; kill--) {
          kill(arguments, run++, 100 + random.nextInt(2_400));
        }
      } else {
        for (int crash = random.nextInt(4); crash > 0; crash--) {
          schedule.crashAfter(1 + random.nextInt(25));
          try {
            schedule.work(run++);
          } catch (FaultSchedule.Crash e) {
            crashes++;
          }
        }
      }
      schedule.crashAfter(-1);
      schedule.work(run);
      requesterEndpoint.setFaults(0);
      providerEndpoint.setFaults(0);
      blocks.calm();
      requesterEndpoint.done().forEach((fault, times) -> faults.merge(fault, times, Integer::sum));
      providerEndpoint.done().forEach((fault, times) -> faults.merge(fault, times, Integer::sum));
      blocks.done().forEach((event, times) -> events.merge(event, times, Integer::sum));
      settle(schedule, chain, seed, heldBefore, deployment);
    }
  }

  /// Everything is handed in, left and closed; then all numbers must be equal.
  private static void settle(
      FaultSchedule schedule,
      DevChain chain,
      long seed,
      TokenAmount heldBefore,
      Deployment deployment) {
    try (ChannelParty requester = schedule.open("requester", SendListener.NONE, new Random(seed));
        ChannelParty provider = schedule.open("provider", SendListener.NONE, new Random(seed))) {
      FaultSchedule.retry(() -> {
        provider.redemption.redeemAll();
        require(
            provider.payee.channels().stream()
                .allMatch(c -> c.promised().equals(c.channel().redeemed())),
            "vouchers are still to be handed in");
        return true;
      });
      for (PayerChannel channel : requester.payer.channels()) {
        if (channel.state() != PayerChannel.State.FAILED) {
          FaultSchedule.retry(() -> {
            requester.payer.leave(channel.channel().terms().id());
            return true;
          });
        }
      }
      chain.request("evm_increaseTime", CHALLENGE.toSeconds() + 1);
      FaultSchedule.retry(() -> {
        closeAll(requester);
        require(
            requester.payer.channels().stream()
                .allMatch(c -> c.state() == PayerChannel.State.FAILED || c.channel().closed()),
            "channels are still to be closed");
        return true;
      });
      check(requester, provider, seed, heldBefore, deployment);
    }
  }

  /// The chain's clock is ahead of this machine's, so it is the chain that says whether it is time.
  private static void closeAll(ChannelParty requester) {
    for (PayerChannel channel : requester.payer.channels()) {
      if (channel.state() != PayerChannel.State.FAILED && !channel.channel().closed()) {
        requester.client.close(channel.channel().terms());
      }
    }
    requester.payer.closeDue();
  }

  private static void require(boolean holds, String otherwise) {
    if (!holds) {
      throw new LedgerException(otherwise);
    }
  }

  private static void check(
      ChannelParty requester,
      ChannelParty provider,
      long seed,
      TokenAmount heldBefore,
      Deployment deployment) {
    Address token = deployment.token();
    TokenAmount price = TokenAmount.of(FaultSchedule.price(seed));
    for (FaultSchedule.Work job : FaultSchedule.jobs(seed)) {
      assertThat(requester.payer.paid(job.id())).isEqualTo(TokenAmount.of(job.price()));
    }
    // The chain: what was paid is the provider's, everything else the requester's.
    TokenAmount earned = provider.client.balance(provider.party.address(), token);
    TokenAmount rest = requester.client.balance(requester.party.address(), token);
    assertThat(earned).as("what the provider has earned").isEqualTo(price);
    assertThat(requester.party.token(deployment).balance(requester.party.address()).plus(rest))
        .as("what the requester has left")
        .isEqualTo(WALLET.minus(price));
    assertThat(requester.party.token(deployment).balance(deployment.channels()))
        .as("what the contract holds")
        .isEqualTo(heldBefore.plus(earned).plus(rest));
    // The books: both sides have the chain's numbers.
    Map<Hash, PayeeChannel> payees = new HashMap<>();
    provider.payee.channels().forEach(c -> payees.put(c.channel().terms().id(), c));
    TokenAmount spent = TokenAmount.ZERO;
    for (PayerChannel channel : requester.payer.channels()) {
      spent = spent.plus(channel.spent());
      Hash id = channel.channel().terms().id();
      assertThat(channel.held()).isEqualTo(TokenAmount.ZERO);
      assertThat(channel.channel().redeemed()).isEqualTo(channel.spent());
      if (payees.containsKey(id)) {
        assertThat(payees.get(id).promised()).isEqualTo(channel.spent());
        assertThat(payees.get(id).owed()).isEqualTo(channel.spent());
        assertThat(payees.get(id).channel().redeemed()).isEqualTo(channel.spent());
      } else {
        assertThat(channel.spent()).isEqualTo(TokenAmount.ZERO);
      }
    }
    assertThat(spent).isEqualTo(price);
    requireHistory(requester);
    requireHistory(provider);
    requireGas(requester);
    requireGas(provider);
  }

  /// What follows from the events since genesis is what the books keep.
  private static void requireHistory(ChannelParty party) {
    long confirmed = party.party.rpc().head().number() - FaultSchedule.CONFIRMATIONS + 1;
    party.follower.awaitBlock(confirmed, Party.TIMEOUT);
    Map<Hash, Channel> history =
        ChannelHistory.after(
            party.follower.newest(party.events, Optional.empty(), 100_000).reversed());
    for (PayerChannel kept : party.payer.channels()) {
      if (kept.state() != PayerChannel.State.FAILED) {
        assertThat(history.get(kept.channel().terms().id())).isEqualTo(kept.channel());
      }
    }
    FaultSchedule.retry(() -> {
      party.redemption.redeemAll();
      for (PayeeChannel kept : party.payee.channels()) {
        require(
            kept.channel().equals(history.get(kept.channel().terms().id())),
            "the book has " + kept + " and its history is " + history);
      }
      return true;
    });
    assertThat(history).isNotEmpty();
  }

  /// Every transaction of the account is one that is stored, and what is gone of its ether is gas.
  private static void requireGas(ChannelParty party) {
    BigInteger fees = BigInteger.ZERO;
    long included = 0;
    for (Intent intent : party.party.store().list("")) {
      if (intent.inclusion().isPresent()) {
        fees = fees.add(intent.inclusion().get().feeWei());
        included++;
      }
    }
    assertThat(party.party.rpc().nonce(party.party.address())).isEqualTo(included);
    assertThat(party.party.rpc().balanceWei(party.party.address())).isEqualTo(ETHER.subtract(fees));
  }

  /// Starts the schedule as a process and kills it after a while, unless it is done before.
  private void kill(String[] arguments, int run, int afterMs) throws Exception {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Xmx256m",
                "-cp",
                System.getProperty("java.class.path"),
                FaultChild.class.getName()));
    command.addAll(List.of(arguments));
    command.add(Integer.toString(run));
    Process child = new ProcessBuilder(command).redirectErrorStream(true).start();
    try {
      CompletableFuture<Boolean> working = new CompletableFuture<>();
      StringBuilder said = new StringBuilder();
      Thread reader = Thread.ofVirtual().start(() -> read(child, said, working));
      working.get(120, TimeUnit.SECONDS);
      if (!child.waitFor(afterMs, TimeUnit.MILLISECONDS)) {
        child.destroyForcibly();
        assertThat(child.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(child.exitValue()).as("ended by SIGKILL").isEqualTo(128 + 9);
        kills++;
      } else {
        reader.join();
        assertThat(said.toString()).as("ended by itself").contains(FaultChild.DONE);
      }
    } finally {
      child.destroyForcibly();
    }
  }

  private static void read(Process child, StringBuilder said, CompletableFuture<Boolean> working) {
    try (BufferedReader reader = child.inputReader()) {
      String line;
      while ((line = reader.readLine()) != null) {
        said.append(line).append('\n');
        if (line.equals(FaultChild.WORKING)) {
          working.complete(true);
        }
      }
    } catch (IOException e) {
      said.append(e.getMessage());
    }
    working.completeExceptionally(new IOException("the child ended: " + said));
  }
}

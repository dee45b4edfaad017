package io.rigmesh.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.ledger.channel.Channel;
import io.rigmesh.ledger.channel.ChannelClient;
import io.rigmesh.ledger.dev.AnvilBinary;
import io.rigmesh.ledger.dev.Deployment;
import io.rigmesh.ledger.dev.DevChain;
import io.rigmesh.ledger.escrow.EscrowStatus;
import io.rigmesh.ledger.intent.Intent;
import io.rigmesh.ledger.intent.IntentState;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.TokenAmount;
import java.io.BufferedReader;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A process that pays is killed with SIGKILL at every step of every transaction, again and again,
/// and started again on its stores. In the end everything has happened exactly once.
class CrashIT {
  private static final Duration CHILD_MAX = Duration.ofMinutes(5);

  /// After a crash at one of these steps the same transaction still reaches the next.
  private static final List<String> STEPS =
      List.of("PLANNED", "ESTIMATED", "SIGNED", "SENT", "SETTLED");

  /// The steps that differ for a channel's book: nothing is sent, the chain has it and nobody
  /// knows, it is over and the book does not know.
  private static final List<String> BOOK_STEPS = List.of("PLANNED", "SENT", "SETTLED");

  /// In the order in which the child does them.
  private static final List<String> CHANNEL_VERBS =
      List.of("open", "topup", "redeem", "leave", "close");

  @TempDir Path folder;

  @Test
  void aProcessKilledAtEveryStepPaysEverythingOnce() throws Exception {
    AccountKey requesterKey = AccountKey.generate();
    AccountKey providerKey = AccountKey.generate();
    String account = requesterKey.address().hex();
    List<String> stops = new ArrayList<>();
    STEPS.forEach(step -> stops.add("deploy:DevToken@" + step));
    stops.add("deploy:ProviderRegistry@SENT_STORED");
    stops.add("deploy:JobEscrow@SENT");
    for (String verb : List.of("fund", "accept", "prove", "release")) {
      STEPS.forEach(
          step -> stops.add(verb + ":" + account + ":" + CrashChild.jobId("a").hex() + "@" + step));
    }
    // What was sent reaches SENT_STORED only where it was not killed at SENT.
    for (String verb : List.of("fund", "accept", "prove", "release")) {
      stops.add(verb + ":" + account + ":" + CrashChild.jobId("b").hex() + "@SENT_STORED");
    }
    for (String verb : CHANNEL_VERBS) {
      BOOK_STEPS.forEach(step -> stops.add("channel-" + verb + ":@" + step));
    }

    // With a block every second, a killed process leaves transactions that are sent and not mined.
    DevChain.Settings everySecond =
        new DevChain.Settings(
            AnvilBinary.find(Path.of("")),
            0,
            31337,
            Optional.of(Duration.ofSeconds(1)),
            Optional.empty());
    try (DevChain chain = DevChain.start(everySecond)) {
      BigInteger ether = BigInteger.TEN.pow(18);
      chain.setBalance(requesterKey.address(), ether);
      chain.setBalance(providerKey.address(), ether);
      for (String stop : stops) {
        if (stop.equals("channel-close:@" + BOOK_STEPS.getFirst())) {
          chain.request("evm_increaseTime", 61);
        }
        assertThat(run(chain, requesterKey, providerKey, stop))
            .as("killed at " + stop)
            .startsWith(CrashChild.STOPPED + stop.substring(0, stop.indexOf('@')));
      }
      assertThat(run(chain, requesterKey, providerKey, "nowhere")).isEqualTo(CrashChild.DONE);
      requireEverythingOnce(chain, requesterKey, providerKey);
    }
  }

  private void requireEverythingOnce(
      DevChain chain, AccountKey requesterKey, AccountKey providerKey) {
    Deployment deployment = Deployment.read(folder.resolve("deployment.json"));
    try (Party requester = Party.open(requesterKey, folder.resolve("requester.db"), chain);
        Party provider = Party.open(providerKey, folder.resolve("provider.db"), chain)) {
      ChannelTerms terms =
          CrashChild.payerBook(requester, deployment).channels().getFirst().channel().terms();
      String channel = terms.id().hex();
      assertThat(keys(requester))
          .containsExactlyInAnyOrder(
              "deploy:DevToken",
              "deploy:ProviderRegistry",
              "deploy:JobEscrow",
              "deploy:PaymentChannels",
              "deploy:ReceiptLog",
              key("fund", requester, "a"),
              key("release", requester, "a"),
              key("fund", requester, "b"),
              key("release", requester, "b"),
              "channel-open:" + channel,
              "channel-topup:" + channel + ":1",
              "channel-leave:" + channel,
              "channel-close:" + channel);
      assertThat(keys(provider))
          .containsExactlyInAnyOrder(
              "channel-redeem:1",
              key("accept", requester, "a"),
              key("prove", requester, "a"),
              key("accept", requester, "b"),
              key("prove", requester, "b"));
      BigInteger spent = BigInteger.ZERO;
      for (Party party : List.of(requester, provider)) {
        List<Intent> intents = party.store().list("");
        assertThat(intents)
            .allSatisfy(i -> assertThat(i.state()).isInstanceOf(IntentState.Confirmed.class));
        // Every transaction of the account is one of ours, and each of ours is there once.
        assertThat(party.rpc().nonce(party.address())).isEqualTo(intents.size());
        BigInteger fees =
            intents.stream()
                .map(i -> ((IntentState.Confirmed) i.state()).inclusion().feeWei())
                .reduce(BigInteger.ZERO, BigInteger::add);
        assertThat(party.rpc().balanceWei(party.address()))
            .isEqualTo(BigInteger.TEN.pow(18).subtract(fees));
        spent = spent.add(fees);
      }
      assertThat(spent).isPositive();
      TokenAmount supply = new TokenAmount(BigInteger.TEN.pow(18));
      TokenAmount paid = CrashChild.DUE.plus(CrashChild.DUE);
      assertThat(requester.token(deployment).balance(provider.address())).isEqualTo(paid);
      assertThat(requester.token(deployment).balance(requester.address()))
          .isEqualTo(supply.minus(paid).minus(CrashChild.DEPOSIT).minus(CrashChild.DEPOSIT));
      assertThat(requester.token(deployment).balance(deployment.escrow()))
          .isEqualTo(TokenAmount.ZERO);
      for (String job : List.of("a", "b")) {
        Hash id = CrashChild.jobId(job);
        assertThat(
                requester.escrow(deployment).escrow(requester.address(), id).orElseThrow().status())
            .isEqualTo(EscrowStatus.RELEASED);
      }
      ChannelClient channels = CrashChild.channels(requester, deployment);
      TokenAmount answers = CrashChild.ANSWER.plus(CrashChild.ANSWER);
      TokenAmount deposits = CrashChild.DEPOSIT.plus(CrashChild.DEPOSIT);
      Channel closed = channels.channel(terms).orElseThrow();
      assertThat(closed.closed()).isTrue();
      assertThat(closed.deposit()).isEqualTo(deposits);
      assertThat(closed.redeemed()).isEqualTo(answers);
      assertThat(channels.balance(provider.address(), deployment.token())).isEqualTo(answers);
      assertThat(channels.balance(requester.address(), deployment.token()))
          .isEqualTo(deposits.minus(answers));
      assertThat(requester.token(deployment).balance(deployment.channels())).isEqualTo(deposits);
    }
  }

  private static List<String> keys(Party party) {
    return party.store().list("").stream().map(Intent::key).toList();
  }

  private static String key(String verb, Party requester, String job) {
    return verb + ":" + requester.address().hex() + ":" + CrashChild.jobId(job).hex();
  }

  /// Starts the child, waits until it says that it stands at the step or is done, and kills it in
  /// the first case. Returns what it said.
  private String run(DevChain chain, AccountKey requesterKey, AccountKey providerKey, String stop)
      throws Exception {
    Process child =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Xmx256m",
                "-cp",
                System.getProperty("java.class.path"),
                CrashChild.class.getName(),
                folder.toString(),
                chain.endpoint().toString(),
                HexKey.of(requesterKey),
                HexKey.of(providerKey),
                stop)
            .redirectErrorStream(true)
            .start();
    try {
      CompletableFuture<String> said = new CompletableFuture<>();
      Thread.ofVirtual().start(() -> read(child, said));
      String line = said.get(CHILD_MAX.toSeconds(), TimeUnit.SECONDS);
      if (line.startsWith(CrashChild.STOPPED)) {
        child.destroyForcibly();
        assertThat(child.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(child.exitValue()).as("ended by SIGKILL").isEqualTo(128 + 9);
      } else {
        assertThat(child.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(child.exitValue()).isZero();
      }
      return line;
    } finally {
      child.destroyForcibly();
    }
  }

  private static void read(Process child, CompletableFuture<String> said) {
    StringBuilder all = new StringBuilder();
    try (BufferedReader reader = child.inputReader()) {
      String line;
      while ((line = reader.readLine()) != null) {
        if (line.startsWith(CrashChild.STOPPED) || line.equals(CrashChild.DONE)) {
          said.complete(line);
        }
        all.append(line).append('\n');
      }
    } catch (IOException e) {
      all.append(e.getMessage());
    }
    said.complete("ended by itself: " + all);
  }

  /// A throw-away key as an argument of the child.
  private static final class HexKey {
    static String of(AccountKey key) {
      return java.util.HexFormat.of().formatHex(key.secret());
    }
  }
}

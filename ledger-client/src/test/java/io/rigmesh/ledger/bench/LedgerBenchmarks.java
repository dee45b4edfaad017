package io.rigmesh.ledger.bench;

import io.rigmesh.ledger.channel.FollowBenchmark;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.MerkleTree;
import io.rigmesh.protocol.SignedVoucher;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.protocol.Voucher;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SignatureException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.DoubleSupplier;
import org.web3j.crypto.ECKeyPair;
import org.web3j.crypto.Keys;
import org.web3j.crypto.Sign;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// Measures vouchers beside web3j, on one thread and in turns within one run, the follower of
/// events, and what settling costs in gas. `NAME... [--json FILE]`, where `ledger` stands for all.
public final class LedgerBenchmarks {
  private static final int ROUNDS = Integer.getInteger("rigmesh.bench.rounds", 5);
  private static final int WARM_UP_ROUNDS = 2;
  private static final long ROUND_NANOS = 1_000_000_000L;
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final Domain DOMAIN =
      new Domain(31_337, Address.fromHex("0x5fbdb2315678afecb367f032d93f642f64180aa3"));

  private static final int[] JOBS = {1, 10, 100, 1_000};
  private static final int CLAIM_GOAL = 41_000;
  private static final int CLAIM_OF_THIRTY_GOAL = 15_800;
  private static final int ANSWER_GOAL = 1_700;

  /// MultiPartyEscrow of SingularityNET, its channelClaim and multiChannelClaim of 30 channels,
  /// measured in an EVM for the design of this market and quoted here.
  private static final int PEER_CLAIM = 50_133;

  private static final int PEER_CLAIM_OF_THIRTY = 36_813;

  /// One thing that is measured.
  @FunctionalInterface
  private interface Benchmark {
    void run() throws Exception;
  }

  private final Map<String, Benchmark> benchmarks = new LinkedHashMap<>();
  private final List<String> json = new ArrayList<>();
  private final AccountKey key = AccountKey.generate();
  private final ECKeyPair peerKey = ECKeyPair.create(new BigInteger(1, key.secret()));
  private final Hash channel = hash(9);
  private long amount;
  private Optional<GasBenchmark> gasBenchmark = Optional.empty();

  private LedgerBenchmarks() {
    benchmarks.put("voucher-sign", this::sign);
    benchmarks.put("voucher-verify", this::verify);
    benchmarks.put("ledger-follow", this::follow);
    benchmarks.put("gas-claim-1", () -> gas(this::gasOfOneClaim));
    benchmarks.put("gas-claim-30", () -> gas(this::gasOfThirtyClaims));
    benchmarks.put("gas-answer", () -> gas(this::gasOfAnAnswer));
    benchmarks.put("gas-job", () -> gas(this::gasOfJobs));
  }

  /// The entry point of scripts/bench.sh.
  public static void main(String[] arguments) throws Exception {
    LedgerBenchmarks all = new LedgerBenchmarks();
    Set<String> chosen = new LinkedHashSet<>();
    Path file = null;
    for (int i = 0; i < arguments.length; i++) {
      if (arguments[i].equals("--json") && i + 1 < arguments.length) {
        file = Path.of(arguments[++i]);
      } else if (arguments[i].equals("ledger")) {
        chosen.addAll(all.benchmarks.keySet());
      } else if (all.benchmarks.containsKey(arguments[i])) {
        chosen.add(arguments[i]);
      } else {
        System.err.printf(
            "bench.sh: there is no benchmark %s here; there are %s, and ledger for all.%n",
            arguments[i], String.join(", ", all.benchmarks.keySet()));
        System.exit(2);
      }
    }
    System.out.printf(
        "%-15s %-40s %10s %-17s %-9s %-8s %10s %-17s %6s %s%n",
        "bench",
        "metric",
        "ours",
        "(spread)",
        "unit",
        "peer",
        "peer's",
        "(spread)",
        "ratio",
        "goal");
    for (String name : chosen) {
      all.benchmarks.get(name).run();
    }
    if (all.gasBenchmark.isPresent()) {
      all.gasBenchmark.get().close();
    }
    if (file != null) {
      Files.write(file, all.json);
    }
    System.exit(0);
  }

  private static Hash hash(int seed) {
    return MerkleTree.leaf(new byte[] {(byte) seed});
  }

  /// A voucher as [io.rigmesh.ledger.channel.PayerBook] makes it: the typed data, its digest, the
  /// signature with its recovery id; storing it is not in here.
  private void sign() {
    row(
        "voucher-sign",
        "vouchers made and signed",
        () ->
            rate(() -> {
              Voucher voucher = next();
              new SignedVoucher(voucher, key.sign(voucher.typedData().digest(DOMAIN)));
            }),
        () ->
            rate(
                () -> Sign.signMessage(next().typedData().digest(DOMAIN).bytes(), peerKey, false)));
  }

  /// A voucher as [io.rigmesh.ledger.channel.PayeeBook] checks it.
  private void verify() {
    List<SignedVoucher> signed = new ArrayList<>();
    List<Sign.SignatureData> peers = new ArrayList<>();
    for (int i = 0; i < 64; i++) {
      Voucher voucher = next();
      signed.add(new SignedVoucher(voucher, key.sign(voucher.typedData().digest(DOMAIN))));
      peers.add(Sign.signMessage(voucher.typedData().digest(DOMAIN).bytes(), peerKey, false));
    }
    int[] at = {0};
    row(
        "voucher-verify",
        "vouchers checked against their signer",
        () ->
            rate(() -> {
              if (!signed.get(at[0]++ & 63).isSignedBy(key.address(), DOMAIN)) {
                throw new IllegalStateException("our own voucher is refused");
              }
            }),
        () ->
            rate(() -> {
              int i = at[0]++ & 63;
              byte[] digest = signed.get(i).voucher().typedData().digest(DOMAIN).bytes();
              try {
                BigInteger publicKey = Sign.signedMessageHashToKey(digest, peers.get(i));
                if (!Address.fromHex(Keys.getAddress(publicKey)).equals(key.address())) {
                  throw new IllegalStateException("the peer's voucher is refused");
                }
              } catch (SignatureException e) {
                throw new IllegalStateException(e);
              }
            }));
  }

  private void follow() throws Exception {
    try (FollowBenchmark benchmark = new FollowBenchmark()) {
      benchmark.eventsPerSecond();
      double[] ours = new double[ROUNDS];
      for (int i = 0; i < ROUNDS; i++) {
        ours[i] = benchmark.eventsPerSecond();
      }
      print("ledger-follow", "events of channels, from an empty store", ours, new double[0]);
    }
  }

  /// One measurement of gas, on the chain that all of them share.
  @FunctionalInterface
  private interface GasMeasurement {
    void run(GasBenchmark chain) throws Exception;
  }

  private void gas(GasMeasurement measurement) throws Exception {
    if (gasBenchmark.isEmpty()) {
      gasBenchmark = Optional.of(new GasBenchmark());
    }
    measurement.run(gasBenchmark.get());
  }

  private void gasOfOneClaim(GasBenchmark chain) {
    gasRow("gas-claim-1", "one voucher", chain.redeem(1, 1), 1, CLAIM_GOAL, PEER_CLAIM);
  }

  private void gasOfThirtyClaims(GasBenchmark chain) {
    gasRow(
        "gas-claim-30",
        "30 channels in one call, each",
        chain.redeem(30, 1),
        30,
        CLAIM_OF_THIRTY_GOAL,
        PEER_CLAIM_OF_THIRTY);
  }

  private void gasOfAnAnswer(GasBenchmark chain) {
    gasRow(
        "gas-answer",
        "1,000 answers in 100 channels, each",
        chain.redeem(100, 10),
        1_000,
        ANSWER_GOAL,
        0);
  }

  private void gasOfJobs(GasBenchmark chain) throws IOException {
    for (int jobs : JOBS) {
      jobRow("%,d of one channel, one voucher", jobs, chain.redeem(1, jobs));
    }
    for (int jobs : JOBS) {
      jobRow("%,d, each of a channel of its own", jobs, chain.redeem(jobs, 1));
    }
    for (int jobs : JOBS) {
      long life = chain.join() + chain.redeem(1, jobs) + chain.leave();
      jobRow("%,d, channel opened and closed for them", jobs, life);
    }
    for (int jobs : JOBS) {
      jobRow("%,d by escrow, four transactions each", jobs, chain.escrowByTransactions(jobs));
    }
    for (int jobs : JOBS) {
      jobRow("%,d by escrow, two signatures each", jobs, chain.escrowBySignatures(jobs));
    }
    gasRow("gas-job", "withdrawal of what was redeemed", chain.withdraw(), 1, 0, 0);
  }

  private void jobRow(String metric, int jobs, long gas) {
    gasRow("gas-job", metric.formatted(jobs), gas, jobs, 0, 0);
  }

  /// @param goal the most that it may be; zero where there is no goal
  /// @param peer what it is with the peer; zero where there is none
  private void gasRow(String bench, String metric, long total, int parts, int goal, int peer) {
    double each = (double) total / parts;
    ObjectNode line = JSON.createObjectNode();
    line.put("bench", bench).put("metric", metric).put("value", each).put("unit", "gas");
    String peers = "%-8s %10s %-17s %6s".formatted("", "", "", "");
    if (peer != 0) {
      peers = "%-8s %,10d %-17s %6.2f".formatted("SNET", peer, "(quoted)", each / peer);
      line.put("peer", "SingularityNET").put("peerValue", peer).put("ratio", each / peer);
    }
    String reached = "";
    if (goal != 0) {
      reached = "at most %,d: %s".formatted(goal, each <= goal ? "met" : "MISSED");
      line.put("goal", goal).put("met", each <= goal);
    }
    System.out.printf(
        "%-15s %-40s %,10.0f %-17s %-9s %s %s%n", bench, metric, each, "", "gas", peers, reached);
    json.add(line.toString());
  }

  private Voucher next() {
    return new Voucher(channel, TokenAmount.of(++amount), hash((int) (amount & 7)));
  }

  /// How often something happens in a second.
  private static double rate(Runnable work) {
    long begun = System.nanoTime();
    long times = 0;
    long now;
    do {
      for (int i = 0; i < 50; i++) {
        work.run();
      }
      times += 50;
      now = System.nanoTime();
    } while (now - begun < ROUND_NANOS);
    return times * 1e9 / (now - begun);
  }

  private void row(String bench, String metric, DoubleSupplier ours, DoubleSupplier peer) {
    for (int i = 0; i < WARM_UP_ROUNDS; i++) {
      ours.getAsDouble();
      peer.getAsDouble();
    }
    double[] own = new double[ROUNDS];
    double[] theirs = new double[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
      own[i] = ours.getAsDouble();
      theirs[i] = peer.getAsDouble();
    }
    print(bench, metric, own, theirs);
  }

  private void print(String bench, String metric, double[] ours, double[] theirs) {
    ObjectNode line = JSON.createObjectNode();
    line.put("bench", bench).put("metric", metric).put("value", median(ours)).put("unit", "1/s");
    if (theirs.length == 0) {
      System.out.printf(
          "%-15s %-40s %10.0f %-17s %-9s%n", bench, metric, median(ours), spread(ours), "1/s");
    } else {
      double ratio = median(ours) / median(theirs);
      System.out.printf(
          "%-15s %-40s %10.0f %-17s %-9s %-8s %10.0f %-17s %6.2f%n",
          bench,
          metric,
          median(ours),
          spread(ours),
          "1/s",
          "web3j",
          median(theirs),
          spread(theirs),
          ratio);
      line.put("peer", "web3j").put("peerValue", median(theirs)).put("ratio", ratio);
    }
    json.add(line.toString());
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }

  private static String spread(double[] values) {
    return "(%.0f-%.0f)"
        .formatted(
            Arrays.stream(values).min().orElseThrow(), Arrays.stream(values).max().orElseThrow());
  }
}

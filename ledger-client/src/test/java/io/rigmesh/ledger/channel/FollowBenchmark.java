package io.rigmesh.ledger.channel;

import io.rigmesh.ledger.LedgerSchema;
import io.rigmesh.ledger.Party;
import io.rigmesh.ledger.dev.AnvilBinary;
import io.rigmesh.ledger.dev.Deployment;
import io.rigmesh.ledger.dev.DevChain;
import io.rigmesh.ledger.dev.DevDeployment;
import io.rigmesh.ledger.follow.FollowSettings;
import io.rigmesh.ledger.follow.Followed;
import io.rigmesh.ledger.follow.LedgerFollower;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.MerkleTree;
import io.rigmesh.protocol.SignedVoucher;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.protocol.Voucher;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.jdbi.v3.core.Jdbi;

/// A chain with many events of one channel, and how many of them a follower with an empty store
/// reads, decodes and tells in a second, each in a transaction of its database.
public final class FollowBenchmark implements AutoCloseable {
  private static final int CALLS = 40;
  private static final int CLAIMS = 100;
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private final Path folder;
  private final DevChain chain;
  private final Party party;
  private final Deployment deployment;
  private int run;

  /// Makes the chain.
  public FollowBenchmark() throws IOException {
    folder = Files.createTempDirectory("follow-benchmark");
    chain = DevChain.start(DevChain.Settings.standard(AnvilBinary.find(Path.of(""))));
    AccountKey key = AccountKey.generate();
    chain.setBalance(key.address(), BigInteger.TEN.pow(21));
    party = Party.open(key, folder.resolve("node.db"), chain);
    deployment = DevDeployment.standard().deploy(party.sender(), Party.TIMEOUT);
    ChannelClient client =
        new ChannelClient(
            party.sender(), party.token(deployment), deployment.channels(), 1, Party.TIMEOUT);
    ChannelTerms terms =
        new ChannelTerms(
            key.address(), key.address(), AccountKey.generate().address(), deployment.token(), 1);
    client.open(terms, TokenAmount.of(1_000_000));
    long amount = 0;
    for (int call = 0; call < CALLS; call++) {
      List<ChannelContract.Claim> claims = new ArrayList<>();
      for (int i = 0; i < CLAIMS; i++) {
        Voucher voucher =
            new Voucher(terms.id(), TokenAmount.of(++amount), MerkleTree.root(List.of()));
        claims.add(
            new ChannelContract.Claim(
                terms,
                new SignedVoucher(voucher, key.sign(voucher.typedData().digest(client.domain())))));
      }
      client.submitRedeem("channel-redeem:" + call, terms.payee(), terms.token(), claims);
      party.sender().await("channel-redeem:" + call, PATIENCE);
    }
    // What is near the head is read block by block; the question is how fast a node catches up.
    chain.request("anvil_mine", 64);
  }

  /// Events in a second, by a node with an empty store.
  public double eventsPerSecond() {
    DataSource source = LedgerSchema.open(folder.resolve("follower" + run++ + ".db"));
    LedgerSchema.migrate(source);
    ChannelEvents events = new ChannelEvents(deployment.channels(), List.of(party.address()));
    long head = party.rpc().head().number();
    long begun = System.nanoTime();
    try (LedgerFollower follower =
        LedgerFollower.start(
            party.rpc(),
            Jdbi.create(source),
            "benchmark",
            List.of(new Followed<>(events, new ChannelNews(Optional.empty(), () -> {}))),
            new FollowSettings(deployment.block(), 1, 1_000, Duration.ofMillis(20)))) {
      follower.awaitBlock(head, PATIENCE);
      double seconds = (System.nanoTime() - begun) / 1e9;
      int told = follower.newest(events, Optional.empty(), 100_000).size();
      if (told != CALLS * CLAIMS + 1) {
        throw new IllegalStateException("told of " + told + " events");
      }
      return told / seconds;
    }
  }

  @Override
  public void close() throws IOException {
    party.close();
    chain.close();
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}

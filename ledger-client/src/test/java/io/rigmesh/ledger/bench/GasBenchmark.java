package io.rigmesh.ledger.bench;

import io.rigmesh.ledger.Party;
import io.rigmesh.ledger.chain.Inclusion;
import io.rigmesh.ledger.channel.ChannelClient;
import io.rigmesh.ledger.channel.ChannelContract;
import io.rigmesh.ledger.dev.AnvilBinary;
import io.rigmesh.ledger.dev.Deployment;
import io.rigmesh.ledger.dev.DevChain;
import io.rigmesh.ledger.dev.DevDeployment;
import io.rigmesh.ledger.escrow.EscrowClient;
import io.rigmesh.ledger.intent.SendListener;
import io.rigmesh.ledger.intent.SenderSettings;
import io.rigmesh.protocol.Acceptance;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Approval;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.MerkleTree;
import io.rigmesh.protocol.SignedVoucher;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.protocol.Voucher;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;

/// What settling costs in gas: transactions that the clients of this module send to a real anvil,
/// as their receipts tell it, base cost and calldata included. Payer and payee have dealt before,
/// so that no slot is paid for that a party fills once in its life; accounts, salts and roots are
/// random, since a byte of calldata that is zero would be cheaper.
final class GasBenchmark implements AutoCloseable {
  private static final TokenAmount DEPOSIT = TokenAmount.of(50_000_000);
  private static final BigInteger ETHER = BigInteger.TEN.pow(18);
  private static final int THREADS = 16;

  private final SecureRandom random = new SecureRandom();
  private final Path folder;
  private final DevChain chain;
  private final AccountKey payerKey = AccountKey.generate();
  private final AccountKey payeeKey = AccountKey.generate();
  private final Party payer;
  private final Party payee;
  private final Deployment deployment;
  private final ChannelClient paying;
  private final ChannelClient paid;
  private final EscrowClient requester;
  private final EscrowClient provider;

  /// Channels that are open, each with what its vouchers promise so far.
  private final List<Open> channels = new ArrayList<>();

  private int calls;

  private static final class Open {
    final ChannelTerms terms;
    long promised;

    Open(ChannelTerms terms) {
      this.terms = terms;
    }
  }

  /// Starts a chain, deploys the contracts, and lets both accounts deal once.
  GasBenchmark() throws IOException {
    folder = Files.createTempDirectory("gas-benchmark");
    chain = DevChain.start(DevChain.Settings.standard(AnvilBinary.find(Path.of(""))));
    payer = party(payerKey, "payer");
    payee = party(payeeKey, "payee");
    deployment = DevDeployment.standard().deploy(payer.sender(), Party.TIMEOUT);
    paying = client(payer);
    paid = client(payee);
    requester = payer.escrow(deployment);
    provider = payee.escrow(deployment);
    join();
    redeem(1, 1);
    escrowByTransactions(1);
    // An escrow that holds nobody's money but this job's would be a rare one.
    requester.fund(hash(), payee.address(), DEPOSIT, deadline(), 1);
  }

  private Party party(AccountKey key, String name) {
    chain.setBalance(key.address(), ETHER.multiply(BigInteger.valueOf(10_000)));
    // This chain answers at once, and is asked thousands of times.
    SenderSettings settings =
        new SenderSettings(
            1,
            BigInteger.TEN.pow(9).multiply(BigInteger.valueOf(200)),
            25,
            Duration.ofMinutes(1),
            Duration.ofMillis(5));
    return Party.open(
        key, folder.resolve(name + ".db"), chain.endpoint(), settings, SendListener.NONE);
  }

  private ChannelClient client(Party party) {
    return new ChannelClient(
        party.sender(), party.token(deployment), deployment.channels(), 1, Party.TIMEOUT);
  }

  /// What opening a channel costs, with the deposit for it by a permit in the same transaction.
  long join() {
    ChannelTerms terms =
        new ChannelTerms(
            payer.address(), payer.address(), payee.address(), deployment.token(), salt());
    paying.open(terms, DEPOSIT);
    channels.add(new Open(terms));
    return payer.sender().await("channel-open:" + terms.id().hex(), Party.TIMEOUT).gasUsed();
  }

  /// What the payee of the newest channel pays to close it.
  long leave() {
    ChannelTerms terms = channels.removeLast().terms;
    paid.close(terms);
    return payee.sender().await("channel-close:" + terms.id().hex(), Party.TIMEOUT).gasUsed();
  }

  /// What the payee pays to take its money out of the contract.
  long withdraw() {
    return paid.withdraw(
            deployment.token(), TokenAmount.of(1_000), payee.address(), "gas-" + calls++)
        .gasUsed();
  }

  /// What handing in one voucher of each of so many channels costs, each for `jobs` jobs.
  long redeem(int vouchers, int jobs) {
    while (channels.size() < vouchers) {
      join();
    }
    List<ChannelContract.Claim> claims = new ArrayList<>();
    for (Open open : channels.reversed().subList(0, vouchers)) {
      List<Hash> receipts = Stream.generate(this::hash).limit(jobs).toList();
      // The price of a job is some thousandths of a dollar in a token of six decimals.
      open.promised += jobs * (1_000L + random.nextInt(9_000));
      Voucher voucher =
          new Voucher(
              open.terms.id(),
              TokenAmount.of(open.promised),
              MerkleTree.root(
                  receipts.stream().map(receipt -> MerkleTree.leaf(receipt.bytes())).toList()));
      claims.add(
          new ChannelContract.Claim(
              open.terms,
              new SignedVoucher(
                  voucher, payerKey.sign(voucher.typedData().digest(paid.domain())))));
    }
    String key = "channel-redeem:" + calls++;
    paid.submitRedeem(key, payee.address(), deployment.token(), claims);
    long gas = payee.sender().await(key, Party.TIMEOUT).gasUsed();
    for (Open open : channels.reversed().subList(0, vouchers)) {
      if (paid.channel(open.terms).orElseThrow().redeemed().units().longValueExact()
          != open.promised) {
        throw new IllegalStateException("a voucher was not paid");
      }
    }
    return gas;
  }

  /// What so many jobs cost on the escrow in all, each with four transactions: funded by a permit,
  /// accepted, proven, released.
  long escrowByTransactions(int jobs) throws IOException {
    return each(
        jobs,
        () -> {
          Hash job = hash();
          return requester.fund(job, payee.address(), DEPOSIT, deadline(), 1).gasUsed()
              + provider.accept(payer.address(), job).gasUsed()
              + provider
                  .submitProof(payer.address(), job, 1, hash(), TokenAmount.of(3_000_000))
                  .gasUsed()
              + requester.release(payer.address(), job, 1).gasUsed();
        });
  }

  /// The same with two: funded with the provider's acceptance, settled with the requester's
  /// approval.
  long escrowBySignatures(int jobs) throws IOException {
    return each(
        jobs,
        () -> {
          Acceptance acceptance =
              new Acceptance(
                  hash(),
                  payer.address(),
                  payee.address(),
                  DEPOSIT,
                  deadline().getEpochSecond(),
                  1);
          Inclusion funded =
              requester.fundAccepted(acceptance, acceptance.sign(payeeKey, requester.domain()));
          Approval approval =
              new Approval(acceptance.job(), payee.address(), 1, hash(), TokenAmount.of(3_000_000));
          return funded.gasUsed()
              + provider
                  .settle(payer.address(), approval, approval.sign(payerKey, provider.domain()))
                  .gasUsed();
        });
  }

  /// One whole job.
  @FunctionalInterface
  private interface Job {
    long gas();
  }

  private static long each(int jobs, Job job) throws IOException {
    long sum = 0;
    try (ExecutorService threads = Executors.newFixedThreadPool(THREADS)) {
      List<Future<Long>> done =
          Stream.generate(() -> threads.submit(job::gas)).limit(jobs).toList();
      for (Future<Long> one : done) {
        sum += one.get();
      }
    } catch (ExecutionException e) {
      throw new IOException("A job was not settled: " + e.getCause().getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("The benchmark was interrupted.", e);
    }
    return sum;
  }

  private Instant deadline() {
    return Instant.ofEpochSecond(payer.rpc().head().timestamp().getEpochSecond() + 86_400);
  }

  private Hash hash() {
    byte[] bytes = new byte[Hash.BYTES];
    random.nextBytes(bytes);
    return Hash.of(bytes);
  }

  private long salt() {
    return ByteBuffer.wrap(hash().bytes()).getLong();
  }

  @Override
  public void close() throws IOException {
    payer.close();
    payee.close();
    chain.close();
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}

package io.rigmesh.node.market;

import com.google.protobuf.ByteString;
import io.rigmesh.ledger.LedgerSchema;
import io.rigmesh.ledger.account.AccountSigner;
import io.rigmesh.ledger.chain.ChainRpc;
import io.rigmesh.ledger.chain.RpcSettings;
import io.rigmesh.ledger.channel.ChannelClient;
import io.rigmesh.ledger.channel.PayerBook;
import io.rigmesh.ledger.channel.PayerSettings;
import io.rigmesh.ledger.channel.Payment;
import io.rigmesh.ledger.dev.Deployment;
import io.rigmesh.ledger.escrow.TokenClient;
import io.rigmesh.ledger.intent.JdbiIntentStore;
import io.rigmesh.ledger.intent.SendListener;
import io.rigmesh.ledger.intent.SenderSettings;
import io.rigmesh.ledger.intent.TransactionSender;
import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.HostBuilder;
import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.node.network.Blames;
import io.rigmesh.node.network.PeerStream;
import io.rigmesh.node.network.Peers;
import io.rigmesh.node.network.job.JobClient;
import io.rigmesh.node.network.job.JobFeed;
import io.rigmesh.node.network.job.JobProtocol;
import io.rigmesh.node.pay.Due;
import io.rigmesh.node.pay.Market;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.JobState;
import io.rigmesh.protocol.Profile;
import io.rigmesh.protocol.Refusal;
import io.rigmesh.protocol.RefusalCode;
import io.rigmesh.protocol.SignedJob;
import io.rigmesh.protocol.SignedVoucher;
import io.rigmesh.protocol.Task;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.protocol.Voucher;
import io.rigmesh.protocol.wire.JobWire;
import java.math.BigInteger;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.jdbi.v3.core.Jdbi;

/// A requester in the hands of a test, which pays a real provider over real streams as it likes,
/// from real channels.
final class Outsider implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final SecureRandom RANDOM = new SecureRandom();

  final AccountKey key = AccountKey.generate();
  final Deployment on;
  final Domain domain;
  final Market market;
  final PayerBook book;
  final ChannelClient channels;
  private final ChainRpc rpc;
  private final TransactionSender sender;
  private final Host host = HostBuilder.anonymous().listen("/ip4/127.0.0.1/tcp/0").start();
  private final PeerId provider;
  private final Address payee;

  Outsider(io.rigmesh.node.market.Market world, Path folder) throws Exception {
    on = world.deployment();
    world.endow(key.address(), 100_000_000);
    DataSource source = LedgerSchema.open(folder.resolve("outsider.db"));
    LedgerSchema.migrate(source);
    Jdbi jdbi = Jdbi.create(source);
    rpc = ChainRpc.connect(RpcSettings.of(on.chainId(), world.chain.endpoint()));
    AccountSigner signer = AccountSigner.of(key);
    sender =
        TransactionSender.start(
            rpc,
            new JdbiIntentStore(jdbi, on.chainId(), key.address()),
            signer,
            SenderSettings.development(),
            SendListener.NONE,
            Clock.systemUTC());
    TokenClient wallet = new TokenClient(sender, signer, on.token(), PATIENCE);
    channels = new ChannelClient(sender, wallet, on.channels(), 1, PATIENCE);
    book =
        new PayerBook(
            jdbi,
            channels,
            signer,
            key.address(),
            on.token(),
            new PayerSettings(TokenAmount.of(1_000_000)),
            Clock.systemUTC());
    domain = new Domain(on.chainId(), on.escrow());
    market = new Market(on.chainId(), on.escrow(), on.channels());
    provider = PeerId.of(world.provider.peer());
    payee = io.rigmesh.node.market.Market.account(world.provider);
    connect(world);
  }

  /// Connects to the provider, again where it was restarted.
  void connect(io.rigmesh.node.market.Market world) throws Exception {
    String address = world.provider.multiaddr();
    host.connect(
            new PeerAddress(
                provider, List.of(Multiaddr.of(address.substring(0, address.indexOf("/p2p/"))))))
        .get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
  }

  Address payee() {
    return payee;
  }

  JobClient client(Market shown) {
    return new JobClient(
        Peers.streams(host), host.id(), key, domain, shown, new Blames((_, _) -> {}), PATIENCE);
  }

  /// A stream of the protocol of jobs on which anything may be said.
  PeerStream raw() {
    return Peers.streams(host).open(provider, JobProtocol.ID);
  }

  /// The first message of a stream that follows a job.
  JobWire.Open following(Hash job) {
    return JobWire.Open.newBuilder()
        .setPass(ByteString.copyFrom(client(market).pass(job).bytes()))
        .setFollow(JobWire.Follow.newBuilder().setJobId(ByteString.copyFrom(job.bytes())))
        .build();
  }

  /// Whether the provider is connected.
  boolean isConnected() {
    return !host.connections(provider).isEmpty();
  }

  /// A signed generation.
  SignedJob job(Hash model, Hash input, int tokens, long priceMax) {
    return new Job(
            new Task.Generate(tokens, 0, 0, 1),
            model,
            Profile.F32_V1,
            input,
            1,
            TokenAmount.of(priceMax),
            Instant.now().getEpochSecond() + 900,
            key.address(),
            new BigInteger(64, RANDOM))
        .sign(key, domain);
  }

  JobClient.Answer submit(SignedJob job, long inputBytes, Optional<ChannelTerms> channel)
      throws InterruptedException {
    return submit(market, job, inputBytes, channel);
  }

  /// Hands a job in, again where the provider says that it cannot decide just now, as requesters
  /// do: a busy machine may not have seen a block for a while, or be starting a worker.
  JobClient.Answer submit(
      Market shown, SignedJob job, long inputBytes, Optional<ChannelTerms> channel)
      throws InterruptedException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (true) {
      JobClient.Answer answer = client(shown).submit(provider, job, inputBytes, 0, channel);
      boolean passing =
          answer instanceof JobClient.Answer.Refused(Refusal refusal)
              && (refusal.code() == RefusalCode.BUSY || refusal.code() == RefusalCode.UNAVAILABLE);
      if (!passing || System.nanoTime() > end) {
        return answer;
      }
      Thread.sleep(200);
    }
  }

  JobFeed taken(SignedJob job, long inputBytes, ChannelTerms channel) throws InterruptedException {
    return ((JobClient.Answer.Taken) submit(job, inputBytes, Optional.of(channel))).feed();
  }

  JobFeed follow(Hash job) {
    return ((JobClient.Answer.Taken) client(market).follow(provider, job, 0)).feed();
  }

  /// A voucher that no book has written down.
  Payment voucher(Hash channel, long amount, AccountKey signer, Hash root) {
    Voucher voucher = new Voucher(channel, TokenAmount.of(amount), root);
    return new Payment(
        new SignedVoucher(
            voucher,
            signer.sign(voucher.typedData().digest(new Domain(on.chainId(), on.channels())))),
        0,
        List.of());
  }

  /// What a job's stream has said until something holds.
  static final class Heard {
    long tokens;
    final List<String> notes = new ArrayList<>();
    Optional<Due> due = Optional.empty();
    Optional<JobFeed.Next.Paid> paid = Optional.empty();
    Optional<byte[]> receipt = Optional.empty();
    Optional<JobState> state = Optional.empty();
  }

  @Override
  public void close() {
    host.close();
    sender.close();
    rpc.close();
  }
}

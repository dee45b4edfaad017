package io.rigmesh.node.requester;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.rigmesh.ledger.LedgerSchema;
import io.rigmesh.ledger.account.AccountSigner;
import io.rigmesh.ledger.channel.PayerBook;
import io.rigmesh.ledger.channel.PayerSettings;
import io.rigmesh.libp2p.BlockingStream;
import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.StreamHandler;
import io.rigmesh.node.blob.Blobs;
import io.rigmesh.node.blob.FileBlobs;
import io.rigmesh.node.config.ConfigLoader;
import io.rigmesh.node.config.NodeConfig;
import io.rigmesh.node.jobs.JobQuery;
import io.rigmesh.node.jobs.JobRole;
import io.rigmesh.node.jobs.Step;
import io.rigmesh.node.network.Blames;
import io.rigmesh.node.network.Peers;
import io.rigmesh.node.network.blob.BlobFetcher;
import io.rigmesh.node.network.job.JobClient;
import io.rigmesh.node.network.job.JobProtocol;
import io.rigmesh.node.pay.Market;
import io.rigmesh.node.store.Database;
import io.rigmesh.node.store.JobRow;
import io.rigmesh.node.store.JobStore;
import io.rigmesh.node.store.Transition;
import io.rigmesh.node.workers.WorkerLaunches;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.CommitmentChain;
import io.rigmesh.protocol.Digests;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.Evidence;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.JobState;
import io.rigmesh.protocol.Meter;
import io.rigmesh.protocol.Profile;
import io.rigmesh.protocol.Receipt;
import io.rigmesh.protocol.ReceiptFile;
import io.rigmesh.protocol.SignedJob;
import io.rigmesh.protocol.Task;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.protocol.wire.JobWire;
import java.io.ByteArrayInputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A provider that asks for more than it gave, over a real stream: the requester pays for what has
/// come, and not a unit more.
class CheatingProviderIT {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /// A token costs 100.
  private static final JobWire.Tariff TARIFF = tariff("100000000");

  /// Sentences of three and seventeen bytes.
  private static final String EMBEDDED = "one\na longer sentence";

  private static final int EMBEDDED_BYTES = 21;

  @TempDir Path folder;

  private final AccountKey account = AccountKey.generate();
  private final AccountKey payee = AccountKey.generate();
  private final Market market =
      new Market(31_337, AccountKey.generate().address(), AccountKey.generate().address());
  private final Domain domain = new Domain(market.chainId(), market.escrow());

  /// What the vouchers that the provider was sent promise.
  private final CompletableFuture<BigInteger> promised = new CompletableFuture<>();

  /// By how much it is later than it is.
  private volatile Duration ahead = Duration.ZERO;

  private final Clock clock =
      new Clock() {
        @Override
        public ZoneId getZone() {
          return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
          throw new UnsupportedOperationException("nobody asks for another zone");
        }

        @Override
        public Instant instant() {
          return Instant.now().plus(ahead);
        }
      };

  private Database database;
  private JobStore store;
  private ChannelsInMemory contract;
  private PayerBook book;
  private Blobs blobs;
  private ChannelPayment channels;
  private JobWatch watch;
  private Host provider;
  private Host requester;

  @BeforeEach
  void start() throws Exception {
    NodeConfig config = ConfigLoader.load(folder, Optional.empty(), Map.of(), Map.of()).config();
    database = Database.open(folder.resolve("rigmesh.db"), LedgerSchema.LOCATION);
    store = new JobStore(database, clock, 1_000);
    blobs = FileBlobs.open(folder.resolve("blobs"), config.blobs());
    provider = Peers.start();
    requester = Peers.start();
    Peers.connect(requester, provider);
    Blames blames = new Blames((_, _) -> {});
    JobClient client =
        new JobClient(
            Peers.streams(requester), requester.id(), account, domain, market, blames, PATIENCE);
    contract =
        new ChannelsInMemory(new Domain(market.chainId(), market.channels()), account.address());
    book =
        new PayerBook(
            database.jdbi(),
            contract,
            AccountSigner.of(account),
            account.address(),
            AccountKey.generate().address(),
            new PayerSettings(TokenAmount.of(1_000_000)),
            clock);
    Moves moves = new Moves(store, clock);
    Audit audit = new Audit(config, store, blobs, new WorkerLaunches(config));
    BlobFetcher fetcher = new BlobFetcher(Peers.streams(requester), blobs, blames, _ -> List.of());
    channels = new ChannelPayment(store, blobs, book, client, audit, moves);
    watch =
        new JobWatch(
            config,
            store,
            client,
            new Delivery(config, blobs, fetcher, client, domain, moves),
            _ -> channels,
            moves);
  }

  @AfterEach
  void stop() {
    requester.close();
    provider.close();
    store.close();
    database.close();
  }

  @Test
  void moreThanWasStreamedIsNotPaid() throws Exception {
    JobRow row =
        served(
            TARIFF,
            io -> {
              token(io, 2, 3);
              token(io, 3, 4);
              due(io, 3, 2, 200);
              due(io, 3, 8, 800);
              failed(io, 5);
            });
    watch.handIn(row, 6);
    // One unit stays back until there is a receipt.
    assertThat(promised.get(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isEqualTo(199);
    assertThat(book.paid(row.id())).isEqualTo(TokenAmount.of(199));
  }

  @Test
  void promptThatIsClaimedAndHasNoTokenToShowIsNotPaid() throws Exception {
    JobRow row =
        served(
            tariff("100000000", "25000000"),
            io -> {
              due(io, 8, 0, 800);
              failed(io, 2);
            });
    watch.handIn(row, 6);
    assertThat(promised.get(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isZero();
    assertThat(book.paid(row.id())).isEqualTo(TokenAmount.ZERO);
  }

  @Test
  void promptIsPaidWithTheTokenThatShowsThatItWasRead() throws Exception {
    JobRow row =
        served(
            tariff("100000000", "25000000"),
            io -> {
              due(io, 8, 1, 825);
              token(io, 2, 3);
              failed(io, 3);
            });
    watch.handIn(row, 6);
    assertThat(promised.get(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isEqualTo(824);
  }

  @Test
  void embeddingThatIsClaimedAndOfWhichNothingWasToldIsNotPaid() throws Exception {
    JobRow row =
        embedding(io -> {
          // As many tokens as a text of so many bytes can have.
          due(io, 65, 0, 2, 650);
          due(io, 9, 0, 0, 90);
          progress(io, 2, 0);
          due(io, 9, 0, 1, 90);
          failed(io, 3);
        });
    watch.handIn(row, EMBEDDED_BYTES);
    assertThat(promised.get(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isZero();
    assertThat(book.paid(row.id())).isEqualTo(TokenAmount.ZERO);
  }

  @Test
  void embeddingIsPaidForNoMoreTokensThanTheSentencesHaveThatAreToldToBeDone() throws Exception {
    JobRow row =
        embedding(io -> {
          due(io, 60, 0, 1, 600);
          // The first sentence has three bytes: five tokens at most.
          progress(io, 2, 1);
          due(io, 60, 0, 2, 600);
          failed(io, 3);
        });
    watch.handIn(row, EMBEDDED_BYTES);
    assertThat(promised.get(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isEqualTo(49);
    assertThat(book.paid(row.id())).isEqualTo(TokenAmount.of(49));
  }

  @Test
  void embeddingWhoseSentencesAreAllToldToBeDoneIsPaidForTheirText() throws Exception {
    JobRow row =
        embedding(io -> {
          progress(io, 2, 1);
          due(io, 5, 0, 1, 50);
          // More sentences than the text has make it no longer.
          progress(io, 3, 1_000);
          due(io, 60, 0, 20, 600);
          failed(io, 4);
        });
    watch.handIn(row, EMBEDDED_BYTES);
    // Three and seventeen bytes, and two tokens around each of the two sentences.
    assertThat(promised.get(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isEqualTo(239);
  }

  @Test
  void disputedJobEndsWhenItsChannelIsClosed() throws Exception {
    JobRow row = funded();
    Hash channel = row.channel().orElseThrow().id();
    store.transition(row.id(), Transition.to(new JobState.Running()));
    JobRow disputed =
        store.transition(row.id(), Transition.to(new JobState.Disputed("step 3 differs")));
    assertThat(channels.awaitDispute(disputed)).isInstanceOf(Step.Wait.class);
    assertThat(book.pays(channel)).isFalse();
    assertThat(contract.read(row.channel().orElseThrow()).channel().orElseThrow().closesAt())
        .isPresent();
    // As long as that takes.
    assertThat(channels.awaitDispute(disputed)).isInstanceOf(Step.Wait.class);
    assertThat(store.find(row.id()).orElseThrow().state()).isInstanceOf(JobState.Disputed.class);

    contract.close(row.channel().orElseThrow());
    book.closeDue();
    assertThat(channels.awaitDispute(disputed)).isEqualTo(new Step.Moved());
    assertEnded(row, "disputed, and what was left of the channel came back: step 3 differs");
  }

  @Test
  void disputedJobEndsWhereItsPayeeHasClosedTheChannelFirst() throws Exception {
    JobRow row = funded();
    store.transition(row.id(), Transition.to(new JobState.Running()));
    JobRow disputed =
        store.transition(row.id(), Transition.to(new JobState.Disputed("step 3 differs")));
    contract.close(row.channel().orElseThrow());
    assertThat(book.pays(row.channel().orElseThrow().id())).isFalse();
    assertThat(channels.awaitDispute(disputed)).isEqualTo(new Step.Moved());
    assertEnded(row, "disputed, and what was left of the channel came back: step 3 differs");
  }

  /// A job that is at its end, and so is its money.
  private void assertEnded(JobRow row, String reason) {
    JobRow now = store.find(row.id()).orElseThrow();
    assertThat(now.state()).isEqualTo(new JobState.Failed(reason));
    assertThat(store.unfinished(JobRole.REQUESTER)).isEmpty();
    assertThat(book.channels())
        .singleElement()
        .satisfies(channel -> {
          assertThat(channel.channel().closed()).isTrue();
          assertThat(channel.held()).isEqualTo(TokenAmount.ZERO);
        });
  }

  @Test
  void meterBeyondWhatTheJobCanUseEndsIt() throws Exception {
    JobRow row =
        served(
            TARIFF,
            io -> {
              token(io, 2, 3);
              due(io, 3, 9, 900);
            });
    watch.handIn(row, 6);
    assertThat(promised.get(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isZero();
    assertFailed(row, "can use");
  }

  @Test
  void moreThanWasAgreedForTheSameWorkEndsIt() throws Exception {
    JobRow row =
        served(
            TARIFF,
            io -> {
              token(io, 2, 3);
              due(io, 3, 1, 101);
            });
    watch.handIn(row, 6);
    assertThat(promised.get(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isZero();
    assertFailed(row, "asks 101 for what costs 100");
  }

  @Test
  void tariffAboveTheJobsLimitEndsItBeforeAnythingIsPaid() throws Exception {
    JobRow row = served(tariff("900000000"), io -> token(io, 2, 3));
    watch.handIn(row, 6);
    assertThat(promised.get(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isZero();
    assertFailed(row, "above its limit of 1000");
  }

  @Test
  void jobWhoseChannelIsBeingClosedIsPaidByAnotherAtOnce() throws Exception {
    JobRow row = funded();
    refusing("not-funded");
    // The provider may only be behind: what is there is offered again.
    assertThat(watch.handIn(row, 6)).isInstanceOf(Step.Retry.class);
    assertThat(store.find(row.id()).orElseThrow().channel()).isEqualTo(row.channel());

    contract.requestClose(row.channel().orElseThrow());
    assertThat(watch.handIn(row, 6)).isEqualTo(new Step.Moved());
    JobRow now = store.find(row.id()).orElseThrow();
    assertThat(now.state()).isEqualTo(new JobState.Funded());
    assertThat(now.channel()).isPresent().isNotEqualTo(row.channel());
    assertThat(book.pays(now.channel().orElseThrow().id())).isTrue();
    assertThat(book.pays(row.channel().orElseThrow().id())).isFalse();
    assertThat(book.pay(now.channel().orElseThrow().id(), row.id(), TokenAmount.of(7), List.of()))
        .isNotNull();
  }

  @Test
  void jobWhoseChannelsAreAllClosedIsGivenUpAfterThree() throws Exception {
    JobRow row = funded();
    refusing("not-funded");
    for (int channels = 1; channels < 3; channels++) {
      contract.requestClose(row.channel().orElseThrow());
      assertThat(watch.handIn(row, 6)).isEqualTo(new Step.Moved());
      row = store.find(row.id()).orElseThrow();
    }
    assertThat(book.channelsOf(row.id())).isEqualTo(3);
    contract.requestClose(row.channel().orElseThrow());
    watch.handIn(row, 6);
    assertFailed(row, "its provider has closed 3 channels");
    assertThat(book.channelsOf(row.id())).isEqualTo(3);
  }

  @Test
  void receiptThatCostsLessThanWasAskedForIsNotSettled() throws Exception {
    JobRow row = completed(funded(), 300, 500);
    assertThat(channels.settle(row)).isInstanceOf(Step.Moved.class);
    assertThat(store.find(row.id()).orElseThrow().state())
        .isInstanceOfSatisfying(
            JobState.Disputed.class,
            disputed ->
                assertThat(disputed.reason())
                    .isEqualTo(
                        "the provider had itself paid 500 for what its receipt says costs 300"));
    assertThat(store.find(row.id()).orElseThrow().paid()).isEqualTo(TokenAmount.of(500));
  }

  /// A job with a receipt for a price, of which so much is paid.
  private JobRow completed(JobRow row, long price, long paid) {
    Hash link = Digests.sha256(new byte[] {3});
    Receipt receipt =
        new Receipt(
            row.id(),
            payee.address(),
            row.job().model(),
            new Meter(1, 1, 0),
            link,
            CommitmentChain.rootOf(List.of(link)),
            link,
            "cpu",
            row.job().profile(),
            1_700_000_000,
            1_700_000_001,
            TokenAmount.of(price));
    ReceiptFile file =
        new ReceiptFile(
            domain,
            row.signed(),
            receipt.sign(payee, domain),
            new Evidence.Generation(List.of(1), List.of(3), List.of(link)));
    book.pay(row.channel().orElseThrow().id(), row.id(), TokenAmount.of(paid), List.of());
    store.paid(row.id(), TokenAmount.of(paid));
    store.transition(row.id(), Transition.to(new JobState.Running()));
    return store.transition(
        row.id(), Transition.to(new JobState.Completed()).with(file, Optional.empty()));
  }

  /// Heartbeats are no reason to wait for ever: with the first behind the deadline it is over.
  @Test
  void providerThatOnlyShowsThatItIsThereIsListenedToUntilShortlyAfterTheDeadline()
      throws Exception {
    JobRow row =
        served(
            TARIFF,
            io -> {
              alive(io);
              // Only once it is listened to: for how long counts from then on.
              awaitRunning();
              ahead = Duration.ofSeconds(700);
              alive(io);
            });
    assertThat(watch.handIn(row, 6)).isEqualTo(new Step.Moved());
    assertThat(store.find(row.id()).orElseThrow().state()).isInstanceOf(JobState.Expired.class);
    assertThat(promised.get(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isZero();
  }

  private void awaitRunning() {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!(store.list(JobQuery.newest(1)).getFirst().state() instanceof JobState.Running)
        && System.nanoTime() < end) {
      LockSupport.parkNanos(5_000_000);
    }
  }

  @Test
  void providerThatDoesNotDecideIsAskedUntilTheJobIsCalledOff() throws Exception {
    JobRow row = funded();
    showingOnlyThatItIsThere(() -> store.askCancel(row.id()));
    assertThatThrownBy(() -> watch.handIn(row, 6))
        .isInstanceOf(ProviderUnreachableException.class)
        .hasMessageContaining("is there and has not answered");
  }

  @Test
  void cancelEndsAlsoWhereTheProviderOnlyShowsThatItIsThere() throws Exception {
    JobRow row = funded();
    showingOnlyThatItIsThere(() -> {});
    JobClient client =
        new JobClient(
            Peers.streams(requester),
            requester.id(),
            account,
            domain,
            market,
            new Blames((_, _) -> {}),
            Duration.ofSeconds(3));
    assertThatThrownBy(() -> client.cancel(provider.id(), row.id()))
        .isInstanceOf(ProviderUnreachableException.class);
  }

  /// A provider that answers nothing, ten times a second.
  private void showingOnlyThatItIsThere(Runnable first) {
    provider.handle(
        JobProtocol.ID,
        StreamHandler.blocking((_, io) -> {
          io.requireMessage(1 << 20);
          first.run();
          try {
            while (true) {
              alive(io);
              Thread.sleep(100);
            }
          } catch (Libp2pException e) {
            // The requester has gone.
            assertThat(e).isNotNull();
          }
        }));
  }

  private static void alive(BlockingStream io) {
    io.writeMessage(
        JobWire.Reply.newBuilder().setAlive(JobWire.Alive.getDefaultInstance()).build());
  }

  /// A provider that takes nothing.
  private void refusing(String code) {
    provider.handle(
        JobProtocol.ID,
        StreamHandler.blocking((_, io) -> {
          io.requireMessage(1 << 20);
          io.writeMessage(
              JobWire.Reply.newBuilder()
                  .setRefused(JobWire.Refused.newBuilder().setCode(code).setSentence("none here"))
                  .build());
        }));
  }

  private void assertFailed(JobRow row, String because) {
    assertThat(store.find(row.id()).orElseThrow().state())
        .isInstanceOfSatisfying(
            JobState.Failed.class, failed -> assertThat(failed.reason()).contains(because));
    assertThat(book.paid(row.id())).isEqualTo(TokenAmount.ZERO);
  }

  /// A funded job of eight tokens at most, whose provider takes it with a tariff and then acts.
  private JobRow served(JobWire.Tariff tariff, Consumer<BlockingStream> acts) {
    serve(tariff, acts);
    return funded();
  }

  /// A funded embedding of two sentences, whose provider asks 10 for a token and then acts.
  private JobRow embedding(Consumer<BlockingStream> acts) {
    serve(tariff("10000000", "0"), acts);
    return funded(new Task.Embed(), EMBEDDED);
  }

  private void serve(JobWire.Tariff tariff, Consumer<BlockingStream> acts) {
    provider.handle(
        JobProtocol.ID,
        StreamHandler.blocking((_, io) -> {
          io.timeout(PATIENCE);
          io.requireMessage(1 << 20);
          io.writeMessage(
              JobWire.Reply.newBuilder()
                  .setAccepted(
                      JobWire.Accepted.newBuilder()
                          .setState(JobWire.State.newBuilder().setName("running"))
                          .setTariff(tariff))
                  .build());
          BigInteger most = BigInteger.ZERO;
          try {
            acts.accept(io);
            for (Optional<byte[]> said = io.readMessage(1 << 20);
                said.isPresent();
                said = io.readMessage(1 << 20)) {
              most =
                  most.max(new BigInteger(JobWire.Say.parseFrom(said.get()).getPay().getAmount()));
            }
          } catch (Libp2pException e) {
            // The requester has gone by resetting the stream.
            assertThat(e).isNotNull();
          }
          promised.complete(most);
        }));
  }

  /// A job of eight tokens at most whose money is in a channel to the provider.
  private JobRow funded() {
    return funded(new Task.Generate(8, 0, 0, 1), "prompt");
  }

  private JobRow funded(Task task, String text) {
    Hash input =
        blobs.put(
            new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)), Optional.empty(), 100);
    SignedJob job =
        new Job(
                task,
                Hash.fromHex("11".repeat(32)),
                Profile.F32_V1,
                input,
                1,
                TokenAmount.of(1_000),
                Instant.now().getEpochSecond() + 600,
                account.address(),
                BigInteger.ONE)
            .sign(account, domain);
    Hash id = job.job().id();
    assertThat(store.insert(JobRole.REQUESTER, job, Transition.to(new JobState.Signed()))).isTrue();
    store.transition(id, Transition.to(new JobState.Matched()).by(payee.address(), provider.id()));
    ChannelTerms terms =
        book.reserve(payee.address(), id, TokenAmount.of(1_000), Instant.now().plusSeconds(600));
    return store.transition(id, Transition.to(new JobState.Funded()).paidBy(terms));
  }

  private static JobWire.Tariff tariff(String perMillionOut) {
    return tariff("0", perMillionOut);
  }

  private static JobWire.Tariff tariff(String perMillionIn, String perMillionOut) {
    return JobWire.Tariff.newBuilder()
        .setPerMillionIn(perMillionIn)
        .setPerMillionOut(perMillionOut)
        .setMinimum("1")
        .setCreditLimit("1000")
        .build();
  }

  private static void token(BlockingStream io, long sequence, long position) {
    io.writeMessage(
        JobWire.Reply.newBuilder()
            .setEvent(
                JobWire.Event.newBuilder()
                    .setSequence(sequence)
                    .setToken(
                        JobWire.Token.newBuilder()
                            .setPosition(position)
                            .setText("x")
                            .setLink(ByteString.copyFrom(new byte[32]))))
            .build());
  }

  private static void progress(BlockingStream io, long sequence, long step) {
    io.writeMessage(
        JobWire.Reply.newBuilder()
            .setEvent(
                JobWire.Event.newBuilder()
                    .setSequence(sequence)
                    .setProgress(JobWire.Progress.newBuilder().setStep(step).setTotal(2)))
            .build());
  }

  private static void due(BlockingStream io, long tokensIn, long tokensOut, long amount) {
    due(io, tokensIn, tokensOut, tokensOut, amount);
  }

  private static void due(
      BlockingStream io, long tokensIn, long tokensOut, long steps, long amount) {
    io.writeMessage(
        JobWire.Reply.newBuilder()
            .setDue(
                JobWire.Due.newBuilder()
                    .setTokensIn(tokensIn)
                    .setTokensOut(tokensOut)
                    .setSteps(steps)
                    .setAmount(Long.toString(amount)))
            .build());
  }

  private static void failed(BlockingStream io, long sequence) {
    io.writeMessage(
        JobWire.Reply.newBuilder()
            .setEvent(
                JobWire.Event.newBuilder()
                    .setSequence(sequence)
                    .setState(JobWire.State.newBuilder().setName("failed").setMessage("enough")))
            .build());
  }
}

package io.rigmesh.node.market;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rigmesh.ledger.channel.Payment;
import io.rigmesh.node.jobs.JobEvent;
import io.rigmesh.node.jobs.JobJson;
import io.rigmesh.node.network.PeerStream;
import io.rigmesh.node.network.Peers;
import io.rigmesh.node.network.job.JobClient;
import io.rigmesh.node.network.job.JobFeed;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.MerkleTree;
import io.rigmesh.protocol.ProtocolJson;
import io.rigmesh.protocol.Receipt;
import io.rigmesh.protocol.RefusalCode;
import io.rigmesh.protocol.SignedJob;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.worker.verify.Verdict;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Generations and an embedding that are paid by vouchers of channels: honestly, by many streams at
/// once, over restarts, and by those who would rather not pay.
class ChannelMarketIT {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final Hash NO_RECEIPTS = MerkleTree.root(List.of());

  /// A token costs 10, so that a generation is paid in many parts.
  private static final int TOKEN_PRICE = 10;

  private static final int CREDIT = 1_000;
  private static final int LONG = 600;

  @TempDir static Path folder;
  private static Market market;
  private static Outsider outsider;
  private static String model;

  @BeforeAll
  static void open() throws Exception {
    market =
        new Market(
            folder,
            with ->
                with.providerMore =
                    """
                      price-minimum: 1
                      generate-price-per-million-tokens-in: 0
                      generate-price-per-million-tokens-out: %d000000
                      embed-price-per-million-tokens: %d000000
                    channels:
                      credit-limit: %d
                      patience-seconds: 20
                      redeem-gas-multiple: 0
                      redeem-every-seconds: 5
                    """
                        .formatted(TOKEN_PRICE, TOKEN_PRICE, CREDIT));
    model = market.settle(market.slowModel()).get("outputModel").asText();
    outsider = new Outsider(market, folder);
  }

  @AfterAll
  static void close() throws Exception {
    outsider.close();
    market.close();
  }

  @Test
  void fourGenerationsShareOneChannelAndEachIsPaidToTheUnit() throws Exception {
    List<String> ids = new ArrayList<>();
    // Together more than three times what they may owe.
    for (int i = 0; i < 4; i++) {
      ids.add(market.requester.submit(market.generation(model, 80 + i)));
    }
    long total = 0;
    for (String id : ids) {
      JsonNode job = market.requester.awaitState(id, "settled");
      JsonNode sold = market.provider.awaitState(id, "settled");
      assertThat(job.get("paid")).isEqualTo(job.get("price")).isEqualTo(sold.get("paid"));
      assertThat(job.get("transactions")).isEmpty();
      assertThat(market.requester.bytes("/v1/jobs/" + id + "/receipt"))
          .isEqualTo(market.provider.bytes("/v1/jobs/" + id + "/receipt"));
      total += job.get("price").asLong();
    }
    assertThat(ids.stream().map(id -> market.requester.job(id).get("channel").asText()).distinct())
        .hasSize(1);
    JsonNode paying = channel(market.requester, 0);
    JsonNode earning = byId(market.provider, paying.get("id").asText());
    assertThat(paying.get("promised").asLong()).isGreaterThanOrEqualTo(total);
    assertThat(earning.get("promised")).isEqualTo(paying.get("promised"));
    assertThat(earning.get("unpaid").asText()).isEqualTo("0");
    // The provider redeems by itself, and the chain pays what the voucher says.
    long promised = paying.get("promised").asLong();
    awaitChannel(
        market.provider, paying.get("id").asText(), c -> c.get("redeemed").asLong() >= promised);
    assertThat(market.withdrawable(market.provider).units().longValueExact())
        .isGreaterThanOrEqualTo(promised);
  }

  @Test
  void embeddingThatCostsManyTimesTheCreditIsPaidAsItsSentencesAreDone() throws Exception {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 60; i++) {
      text.append("the rig trains step ").append(i * 7919 % 1000).append(" and proves it\n");
    }
    Hash input = market.requester.upload(text.toString().getBytes(StandardCharsets.UTF_8));
    ObjectNode draft = MAPPER.createObjectNode();
    draft.put("kind", "embed").put("input", input.hex()).put("model", model);
    draft.put("deadlineSeconds", 600).putObject("parameters");
    String id = market.requester.submit(draft);
    JsonNode job = market.requester.awaitState(id, "settled");
    JsonNode sold = market.provider.awaitState(id, "settled");
    long price = job.get("price").asLong();
    assertThat(price)
        .isEqualTo(job.get("meter").get("tokensIn").asLong() * TOKEN_PRICE)
        .isGreaterThan(5L * CREDIT);
    assertThat(job.get("meter").get("steps").asLong()).isEqualTo(60);
    assertThat(job.get("paid").asLong()).isEqualTo(price);
    assertThat(sold.get("paid").asLong()).isEqualTo(price);
    assertThat(job.get("transactions")).isEmpty();
    assertThat(byId(market.provider, job.get("channel").asText()).get("unpaid").asText())
        .isEqualTo("0");
    assertThat(Recheck.verdict(market.requester, id, Files.createTempDirectory(folder, "embedded")))
        .isInstanceOf(Verdict.Exact.class);
  }

  @Test
  void generationThatItsRequesterCallsOffIsPaidForWhatItMadeAndItsReceiptVerifies()
      throws Exception {
    String id = pausedInTheMiddle();
    try {
      market.requester.cancel(id);
      Peers.await("the provider hears of it", () -> Worker.isCalledOff(market.provider, id));
    } finally {
      Worker.signal(market.provider, "CONT");
    }
    JsonNode job = market.requester.awaitState(id, "settled");
    JsonNode sold = market.provider.awaitState(id, "settled");
    JsonNode output =
        MAPPER.readTree(market.requester.bytes("/v1/jobs/" + id + "/artifacts/output.json"));
    int tokens = output.get("tokens").size();
    assertThat(tokens).isBetween(1, LONG - 1);
    assertThat(output.get("finish").asText()).isEqualTo("cancelled");
    assertThat(job.get("price").asLong()).isEqualTo((long) tokens * TOKEN_PRICE);
    assertThat(job.get("paid")).isEqualTo(job.get("price")).isEqualTo(sold.get("paid"));
    assertThat(Recheck.verdict(market.requester, id, Files.createTempDirectory(folder, "called")))
        .isInstanceOf(Verdict.Exact.class);
  }

  /// A long generation at the provider whose worker stands still before it is done.
  private static String pausedInTheMiddle() throws Exception {
    for (int attempt = 0; attempt < 5; attempt++) {
      String id = market.requester.submit(market.generation(model, LONG));
      market.requester.await(id, "tokens", job -> job.path("progress").path("step").asLong() > 5);
      Worker.signal(market.provider, "STOP");
      // What it had said by then and is not heard yet is no half of the job.
      if (market.provider.job(id).path("progress").path("step").asLong() < LONG / 2) {
        return id;
      }
      // This machine was too busy to stop it in time.
      Worker.signal(market.provider, "CONT");
      market.requester.awaitState(id, "settled");
      market.provider.awaitState(id, "settled");
    }
    throw new AssertionError("five generations of " + LONG + " tokens were done at once");
  }

  @Test
  void generationThatItsProviderCallsOffIsPaidForWhatItMadeAndItsReceiptVerifies()
      throws Exception {
    try (Outsider other = new Outsider(market, Files.createTempDirectory(folder, "off"))) {
      SignedJob job = other.job(Hash.fromHex(model), input(), LONG, 20_000);
      String id = job.job().id().hex();
      ChannelTerms terms =
          other.book.reserve(other.payee(), job.job().id(), job.job().priceMax(), until());
      try (JobFeed feed = other.taken(job, inputBytes(), terms)) {
        // Nothing is paid so far, so that it goes no further than its credit.
        Outsider.Heard heard = hear(feed, h -> h.tokens > 5);
        market.provider.cancel(id);
        hear(feed, heard, h -> h.receipt.isPresent());
        assertThat(heard.notes).noneSatisfy(note -> assertThat(note).contains("unpaid:"));
        Receipt receipt =
            ProtocolJson.readReceiptFile(heard.receipt.orElseThrow()).receipt().receipt();
        long made = receipt.meter().tokensOut();
        assertThat(made).isEqualTo(heard.tokens).isBetween(6L, CREDIT / TOKEN_PRICE + 1L);
        long price = receipt.price().units().longValueExact();
        assertThat(price).isEqualTo(made * TOKEN_PRICE);
        JsonNode output =
            MAPPER.readTree(market.provider.bytes("/v1/jobs/" + id + "/artifacts/output.json"));
        assertThat(output.get("finish").asText()).isEqualTo("cancelled");
        assertThat(output.get("tokens").size()).isEqualTo(made);
        assertThat(byId(market.provider, terms.id().hex()).get("unpaid").asLong()).isEqualTo(price);
        feed.pay(
            other.book.pay(
                terms.id(), job.job().id(), TokenAmount.of(price), List.of(receipt.hash())));
        heard.state = Optional.empty();
        hear(feed, heard, h -> h.state.map(s -> s.id().equals("settled")).orElse(false));
      }
      assertThat(byId(market.provider, terms.id().hex()).get("unpaid").asText()).isEqualTo("0");
      assertThat(Recheck.verdict(market.provider, id, Files.createTempDirectory(folder, "ended")))
          .isInstanceOf(Verdict.Exact.class);
    }
  }

  @Test
  void killedNodesFindTheirVouchersAgainAndNothingIsPaidTwice() throws Exception {
    String id = paidInPart(LONG + 1);
    // Both, since a provider that lives waits for its money no longer than its patience, which a
    // node may need to start.
    market.requester.kill();
    market.provider.kill();
    market.requester.start();
    market.provider.start();
    market.provider.awaitReady();
    market.requester.awaitReady();
    assertSettledToTheUnit(id, LONG + 1);
    outsider.connect(market);
  }

  @Test
  void providerThatIsKilledAloneGoesOnWithItsVouchersAndIsPaidForAllThatItMakes() throws Exception {
    String id = paidInPart(LONG - 1);
    market.provider.kill();
    market.provider.start();
    market.provider.awaitReady();
    assertSettledToTheUnit(id, LONG - 1);
    outsider.connect(market);
  }

  @Test
  void requesterThatIsKilledAlonePaysOnceForWhatWasMadeOnItsCredit() throws Exception {
    String id = paidInPart(LONG - 2);
    market.requester.kill();
    market.requester.start();
    market.requester.awaitReady();
    market.requester.awaitState(id, "settled");
    // All of it, unless this machine took longer to start a node than the provider is patient.
    int made =
        MAPPER
            .readTree(market.requester.bytes("/v1/jobs/" + id + "/artifacts/output.json"))
            .get("tokens")
            .size();
    assertThat(made).isBetween(1, LONG - 2);
    assertSettledToTheUnit(id, made);
  }

  /// A generation by the market's own requester of which some is paid and some is to be made.
  private static String paidInPart(int tokens) throws Exception {
    String id = market.requester.submit(market.generation(model, tokens));
    market.requester.await(id, "a voucher", job -> job.path("paid").asLong() > 0);
    return id;
  }

  /// A job is paid for so many tokens, and the channel's books say what all of its jobs cost.
  private static void assertSettledToTheUnit(String id, long tokens) throws Exception {
    JsonNode job = market.requester.awaitState(id, "settled");
    market.provider.awaitState(id, "settled");
    assertThat(job.get("paid")).isEqualTo(job.get("price"));
    assertThat(job.get("price").asLong()).isEqualTo(tokens * TOKEN_PRICE);
    String channel = job.get("channel").asText();
    long sum = 0;
    for (JsonNode sold : market.provider.get("/v1/jobs?state=settled&limit=100").get("jobs")) {
      sum += channel.equals(sold.path("channel").asText()) ? sold.get("price").asLong() : 0;
    }
    JsonNode earning = byId(market.provider, channel);
    assertThat(earning.get("promised").asLong()).isEqualTo(sum);
    assertThat(byId(market.requester, channel).get("promised").asLong()).isEqualTo(sum);
    assertThat(earning.get("unpaid").asText()).isEqualTo("0");
  }

  @Test
  void workThatNobodyPaysForStopsAtItsCreditAndIsSettledByTheLastVoucherAndAReceipt()
      throws Exception {
    SignedJob job = job(LONG);
    ChannelTerms terms = reserve(job);
    Payment old;
    try (JobFeed feed = taken(job, terms)) {
      Outsider.Heard heard = hear(feed, h -> h.due.isPresent());
      // Some is paid, so that there is an old voucher; then no more.
      Hash id = job.job().id();
      old = outsider.book.pay(terms.id(), id, heard.due.orElseThrow().amount(), List.of());
      feed.pay(old);
      heard = hear(feed, h -> h.paid.isPresent());
      assertThat(heard.paid.orElseThrow().refusal()).isEmpty();
      long total = heard.paid.orElseThrow().total().units().longValueExact();
      assertThat(total).isEqualTo(old.voucher().voucher().amount().units().longValueExact());

      feed.pay(old);
      heard = hear(feed, h -> h.paid.isPresent());
      assertThat(heard.paid.orElseThrow().total().units().longValueExact()).isEqualTo(total);

      Hash foreign = Hash.fromHex("77".repeat(32));
      refused(feed, outsider.voucher(foreign, total + 1, outsider.key, NO_RECEIPTS), "channel");
      refused(
          feed,
          outsider.voucher(terms.id(), Long.MAX_VALUE, outsider.key, NO_RECEIPTS),
          "top it up first");
      refused(
          feed,
          outsider.voucher(terms.id(), total + 100, AccountKey.generate(), NO_RECEIPTS),
          "signed");

      // Nothing more is paid: it stops at its credit, and ends with a receipt for what it has made.
      heard = hear(feed, h -> h.receipt.isPresent());
      Receipt receipt =
          ProtocolJson.readReceiptFile(heard.receipt.orElseThrow()).receipt().receipt();
      long made = receipt.meter().tokensOut();
      assertThat(made).isEqualTo((total + CREDIT) / TOKEN_PRICE + 1).isLessThan(LONG);
      long price = receipt.price().units().longValueExact();
      assertThat(price).isEqualTo(made * TOKEN_PRICE);
      JsonNode earning = byId(market.provider, terms.id().hex());
      assertThat(earning.get("promised").asLong()).isEqualTo(total);
      assertThat(earning.get("unpaid").asLong())
          .isEqualTo(price - total)
          .isGreaterThan(CREDIT)
          .isLessThanOrEqualTo(CREDIT + TOKEN_PRICE);
      assertThat(heard.notes)
          .anySatisfy(note ->
              assertThat(note)
                  .contains("unpaid: the channel " + terms.id())
                  .contains("of a credit limit of " + CREDIT));

      SignedJob next = job(8);
      ChannelTerms same = reserve(next);
      assertThat(same).isEqualTo(terms);
      assertRefused(next, Optional.of(same), RefusalCode.UNPAID, "send a voucher for it first");

      // The last voucher, with the receipt, settles it, and the channel is as good as before.
      feed.pay(
          outsider.book.pay(
              terms.id(), id, TokenAmount.of(price - total), List.of(receipt.hash())));
      hear(feed, h -> h.state.map(state -> state.id().equals("settled")).orElse(false));
      assertThat(byId(market.provider, terms.id().hex()).get("unpaid").asText()).isEqualTo("0");
      try (JobFeed taken = taken(next, same)) {
        hear(taken, h -> h.tokens > 0);
      }
    }
  }

  @Test
  void pausedWorkGoesOnWithTheVoucherAndIsTheSame() throws Exception {
    try (Outsider other = new Outsider(market, Files.createTempDirectory(folder, "paused"))) {
      SignedJob job = other.job(Hash.fromHex(model), input(), 300, 20_000);
      ChannelTerms terms =
          other.book.reserve(other.payee(), job.job().id(), job.job().priceMax(), until());
      try (JobFeed feed = other.taken(job, inputBytes(), terms)) {
        Outsider.Heard heard =
            hear(feed, h -> h.due.isPresent() && h.tokens >= CREDIT / TOKEN_PRICE);
        // It stands still now, or soon; with the money it goes on, part by part, to its end.
        long paid = 0;
        while (heard.receipt.isEmpty()) {
          long due = heard.due.orElseThrow().amount().units().longValueExact();
          if (due > paid) {
            feed.pay(
                other.book.pay(terms.id(), job.job().id(), TokenAmount.of(due - paid), List.of()));
            paid = due;
          }
          hear(feed, heard, h -> h.receipt.isPresent() || duePasses(h, due));
          assertThat(heard.tokens * TOKEN_PRICE)
              .as("made beside what was paid")
              .isLessThanOrEqualTo(paid + CREDIT + TOKEN_PRICE);
        }
        Receipt receipt =
            ProtocolJson.readReceiptFile(heard.receipt.orElseThrow()).receipt().receipt();
        assertThat(receipt.meter().tokensOut()).isEqualTo(300);
        assertThat(heard.tokens).isEqualTo(300);
        long price = receipt.price().units().longValueExact();
        assertThat(price).isEqualTo(300L * TOKEN_PRICE);
        assertThat(paid).isLessThanOrEqualTo(price);
        if (price > paid) {
          feed.pay(
              other.book.pay(
                  terms.id(),
                  job.job().id(),
                  TokenAmount.of(price - paid),
                  List.of(receipt.hash())));
        }
        heard.state = Optional.empty();
        hear(feed, heard, h -> h.state.map(s -> s.id().equals("settled")).orElse(false));
      }
    }
  }

  @Test
  void aNodeSpendsForAWalletWhoseKeyItDoesNotHoldUpToItsLimit() throws Exception {
    try (Outsider wallet = new Outsider(market, Files.createTempDirectory(folder, "wallet"));
        NodeProcess agent = market.requesterFor("agent", wallet.key.address())) {
      Address key = Market.account(agent);
      agent.copyFolder(market.requester, model);
      TokenAmount limit = TokenAmount.of(1_000);
      String early = agent.submit(market.generation(agent, model, 20));
      assertThat(agent.awaitState(early, "failed").get("message").asText())
          .contains("never authorised");
      wallet.channels.deposit(TokenAmount.of(5_000), "for the agent");
      wallet.channels.authorise(key, wallet.on.token(), limit, until(), "the agent");
      // A hundred tokens are all that the limit pays.
      String id = agent.submit(market.generation(agent, model, 60));
      JsonNode job = agent.awaitState(id, "settled");
      assertThat(job.get("paid").asLong()).isEqualTo(60L * TOKEN_PRICE);
      JsonNode channel = byId(market.provider, job.get("channel").asText());
      assertThat(channel.get("other").asText()).isEqualTo(wallet.key.address().hex());
      assertThat(channel.get("deposit").asLong()).isEqualTo(1_000);
      String more = agent.submit(market.generation(agent, model, 61));
      assertThat(agent.awaitState(more, "failed").get("message").asText())
          .contains("of its limit of 1000");
      assertThat(wallet.channels.balance(wallet.key.address(), wallet.on.token()))
          .isEqualTo(TokenAmount.of(4_000));
      assertThat(market.balance(agent)).isEqualTo(TokenAmount.ZERO);
    }
  }

  @Test
  void garbageInPlaceOfAVoucherEndsTheConnectionAndNothingElse() throws Exception {
    try (Outsider other = new Outsider(market, Files.createTempDirectory(folder, "garbage"))) {
      SignedJob job = other.job(Hash.fromHex(model), input(), LONG, 20_000);
      ChannelTerms terms =
          other.book.reserve(other.payee(), job.job().id(), job.job().priceMax(), until());
      try (JobFeed feed = other.taken(job, inputBytes(), terms)) {
        hear(feed, h -> h.tokens > 0);
        PeerStream raw = other.raw();
        raw.io().writeMessage(other.following(job.job().id()));
        raw.io().writeMessage(new byte[] {10, 3, 1, 2, 3});
        Peers.await("the connection is closed", () -> !other.isConnected());
      }
    }
    String id = market.requester.submit(market.generation(model, 16));
    market.requester.awaitState(id, "settled");
    market.provider.awaitState(id, "settled");
  }

  @Test
  void jobsThatNoMoneyCanReachAreRefusedBeforeWorkBegins() throws Exception {
    SignedJob job = job(8);
    assertRefused(job, Optional.empty(), RefusalCode.NOT_FUNDED, "are paid through a channel");

    ChannelTerms none =
        new ChannelTerms(
            outsider.key.address(),
            outsider.key.address(),
            outsider.payee(),
            outsider.on.token(),
            4_711);
    assertRefused(job, Optional.of(none), RefusalCode.NOT_FUNDED, "There is no channel");

    ChannelTerms foreign =
        new ChannelTerms(
            AccountKey.generate().address(),
            AccountKey.generate().address(),
            outsider.payee(),
            outsider.on.token(),
            1);
    assertRefused(job, Optional.of(foreign), RefusalCode.NOT_FUNDED, "name one of");

    ChannelTerms toOthers =
        new ChannelTerms(
            outsider.key.address(),
            outsider.key.address(),
            AccountKey.generate().address(),
            outsider.on.token(),
            1);
    assertRefused(job, Optional.of(toOthers), RefusalCode.NOT_FUNDED, "this provider's account");

    ChannelTerms small =
        new ChannelTerms(
            outsider.key.address(),
            outsider.key.address(),
            outsider.payee(),
            outsider.on.token(),
            99);
    outsider.channels.open(small, TokenAmount.of(1));
    assertRefused(job, Optional.of(small), RefusalCode.NOT_FUNDED, "top it up by");
    outsider.channels.requestClose(small);
    assertRefused(job, Optional.of(small), RefusalCode.NOT_FUNDED, "is being closed");

    SignedJob cheap = outsider.job(Hash.fromHex(model), input(), 100, 10);
    assertRefused(cheap, Optional.of(none), RefusalCode.PRICE_TOO_LOW, "sign again with a higher");

    for (var elsewhere :
        List.of(
            new io.rigmesh.node.pay.Market(1, outsider.market.escrow(), outsider.market.channels()),
            new io.rigmesh.node.pay.Market(
                outsider.market.chainId(),
                outsider.market.escrow(),
                AccountKey.generate().address()))) {
      assertThat(outsider.submit(elsewhere, job, inputBytes(), Optional.of(small)))
          .isInstanceOfSatisfying(
              JobClient.Answer.Refused.class,
              refused -> {
                assertThat(refused.refusal().code()).isEqualTo(RefusalCode.WRONG_CHAIN);
                assertThat(refused.refusal().sentence()).contains("chain.deployment-file");
              });
    }
    assertThat(market.provider.knows(job.job().id().hex())).isFalse();
  }

  private static void assertRefused(
      SignedJob job, Optional<ChannelTerms> channel, RefusalCode code, String sentence)
      throws InterruptedException {
    assertThat(outsider.submit(job, inputBytes(), channel))
        .isInstanceOfSatisfying(
            JobClient.Answer.Refused.class,
            refused -> {
              assertThat(refused.refusal().code()).isEqualTo(code);
              assertThat(refused.refusal().sentence()).contains(sentence);
            });
  }

  private static void refused(JobFeed feed, Payment payment, String because) {
    feed.pay(payment);
    Outsider.Heard heard = hear(feed, h -> h.paid.isPresent());
    assertThat(heard.paid.orElseThrow().refusal().orElseThrow()).contains(because);
  }

  private static boolean duePasses(Outsider.Heard heard, long amount) {
    return heard.due.map(d -> d.amount().units().longValueExact() > amount).orElse(false);
  }

  private static Outsider.Heard hear(JobFeed feed, Predicate<Outsider.Heard> until) {
    Outsider.Heard heard = new Outsider.Heard();
    hear(feed, heard, until);
    return heard;
  }

  private static void hear(JobFeed feed, Outsider.Heard heard, Predicate<Outsider.Heard> until) {
    while (!until.test(heard)) {
      switch (feed.next()) {
        case JobFeed.Next.Event(JobEvent event) -> {
          if (event.type() == JobEvent.Type.TOKEN) {
            heard.tokens++;
          } else if (event.type() == JobEvent.Type.NOTE) {
            heard.notes.add(event.data());
          } else if (event.type() == JobEvent.Type.STATE) {
            heard.state =
                Optional.of(
                    JobJson.readState(
                        ProtocolJson.parse(
                            event.data().getBytes(StandardCharsets.UTF_8), "a state")));
          }
        }
        case JobFeed.Next.Due(var due) -> heard.due = Optional.of(due);
        case JobFeed.Next.Paid paid -> heard.paid = Optional.of(paid);
        case JobFeed.Next.Receipt(var json) -> heard.receipt = Optional.of(json.toByteArray());
        case JobFeed.Next.Milestone _, JobFeed.Next.Approved _ ->
            throw new AssertionError("no channel pays milestones");
        case JobFeed.Next.Alive _ -> {}
        case JobFeed.Next.Ended _ -> throw new AssertionError("the job ended");
      }
    }
  }

  private static SignedJob job(int tokens) {
    return outsider.job(Hash.fromHex(model), input(), tokens, 20_000);
  }

  private static ChannelTerms reserve(SignedJob job) {
    return outsider.book.reserve(outsider.payee(), job.job().id(), job.job().priceMax(), until());
  }

  private static JobFeed taken(SignedJob job, ChannelTerms terms) throws InterruptedException {
    return outsider.taken(job, inputBytes(), terms);
  }

  private static Instant until() {
    return Instant.now().plusSeconds(1_000);
  }

  private static Hash input() {
    return market.provider.upload("the rig".getBytes(StandardCharsets.UTF_8));
  }

  private static long inputBytes() {
    return "the rig".length();
  }

  private static JsonNode channel(NodeProcess node, int index) {
    return node.get("/v1/channels").get("channels").get(index);
  }

  private static JsonNode byId(NodeProcess node, String id) {
    for (JsonNode channel : node.get("/v1/channels").get("channels")) {
      if (channel.get("id").asText().equals(id)) {
        return channel;
      }
    }
    throw new AssertionError("no channel " + id + " in " + node.get("/v1/channels"));
  }

  private static void awaitChannel(NodeProcess node, String id, Predicate<JsonNode> wanted)
      throws InterruptedException {
    long end = System.nanoTime() + NodeProcess.PATIENCE.toNanos();
    while (!wanted.test(byId(node, id))) {
      assertThat(System.nanoTime()).as("waiting for %s", byId(node, id)).isLessThan(end);
      Thread.sleep(100);
    }
  }
}

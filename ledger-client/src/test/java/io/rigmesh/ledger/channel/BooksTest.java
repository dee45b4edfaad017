package io.rigmesh.ledger.channel;

import static io.rigmesh.ledger.channel.Books.LATER;
import static io.rigmesh.ledger.channel.Books.hash;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.MerkleLog;
import io.rigmesh.protocol.MerkleTree;
import io.rigmesh.protocol.RefusalCode;
import io.rigmesh.protocol.SignedVoucher;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.protocol.Voucher;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BooksTest {
  @TempDir Path folder;

  private static TokenAmount of(long units) {
    return TokenAmount.of(units);
  }

  private static SignedVoucher sign(AccountKey key, Domain domain, Voucher voucher) {
    return new SignedVoucher(voucher, key.sign(voucher.typedData().digest(domain)));
  }

  @Test
  void aJobIsPaidStepByStepAndBothBooksAgreeAfterARestart() {
    Books books = new Books(folder, 10_000, 1_000);
    PayerBook payer = books.payer();
    PayeeBook payee = books.payee();
    Hash job = hash("job");
    ChannelTerms terms = payer.reserve(books.payeeKey.address(), job, of(300), LATER);
    assertThat(payee.admit(terms, job, of(300), LATER)).isInstanceOf(Admission.Admitted.class);

    payee.owe(job, of(100));
    assertThat(payee.unpaid(terms.id())).isEqualTo(of(100));
    Payment first = payer.pay(terms.id(), job, of(100), List.of());
    assertThat(payee.take(first)).isEqualTo(new Taking.Taken(of(100), of(100)));
    assertThat(payee.unpaid(terms.id())).isEqualTo(TokenAmount.ZERO);
    payee.owe(job, of(250));
    Hash receipt = hash("receipt");
    Payment second = payer.pay(terms.id(), job, of(150), List.of(receipt));
    assertThat(second.voucher().voucher().receiptsRoot())
        .isEqualTo(MerkleTree.root(List.of(MerkleTree.leaf(receipt.bytes()))));
    assertThat(payee.take(second)).isEqualTo(new Taking.Taken(of(150), of(250)));
    payee.end(job);
    assertThat(payer.paid(job)).isEqualTo(of(250));
    payer.release(job);

    PayerBook payerAgain = books.payer();
    PayeeBook payeeAgain = books.payee();
    assertThat(payerAgain.latest(terms.id()))
        .contains(new Payment(second.voucher(), 0, List.of(receipt)));
    assertThat(payeeAgain.take(payerAgain.latest(terms.id()).orElseThrow()))
        .isEqualTo(new Taking.Taken(TokenAmount.ZERO, of(250)));
    assertThat(payerAgain.channels())
        .singleElement()
        .satisfies(channel -> {
          assertThat(channel.spent()).isEqualTo(of(250));
          assertThat(channel.held()).isEqualTo(TokenAmount.ZERO);
          assertThat(channel.free()).isEqualTo(of(750));
        });
    assertThat(payeeAgain.channels())
        .singleElement()
        .satisfies(channel -> {
          assertThat(channel.promised()).isEqualTo(of(250));
          assertThat(channel.owed()).isEqualTo(of(250));
        });
  }

  @Test
  void jobsShareAChannelUntilItsRoomIsHeldAndThenItIsToppedUp() {
    Books books = new Books(folder, 10_000, 1_000);
    PayerBook payer = books.payer();
    Address to = books.payeeKey.address();
    ChannelTerms one = payer.reserve(to, hash("1"), of(600), LATER);
    ChannelTerms two = payer.reserve(to, hash("2"), of(400), LATER);
    assertThat(two).isEqualTo(one);
    assertThat(books.contract.get(one.id()).deposit()).isEqualTo(of(1_000));
    ChannelTerms three = payer.reserve(to, hash("3"), of(1_500), LATER);
    assertThat(three).isEqualTo(one);
    assertThat(books.contract.get(one.id()).deposit()).isEqualTo(of(2_500));
    // What a job does not use is another's.
    payer.release(hash("1"));
    assertThat(payer.reserve(to, hash("4"), of(600), LATER)).isEqualTo(one);
    assertThat(books.contract.get(one.id()).deposit()).isEqualTo(of(2_500));
    assertThat(books.contract.count()).isEqualTo(1);
    assertThat(books.contract.wallet()).isEqualTo(of(7_500));
  }

  @Test
  void aChannelThatJobsHoldIsNotLeftAndAnIdleOneIs() {
    Books books = new Books(folder, 10_000, 1_000);
    PayerBook payer = books.payer();
    ChannelTerms terms = payer.reserve(books.payeeKey.address(), hash("job"), of(300), LATER);
    assertThatThrownBy(() -> payer.leaveIdle(terms.id()))
        .isInstanceOf(ChannelException.class)
        .hasMessageContaining("jobs hold 300 of it");
    payer.release(hash("job"));
    payer.leaveIdle(terms.id());
    assertThat(books.contract.get(terms.id()).closesAt()).isPresent();
    assertThat(payer.channels().getFirst().state()).isEqualTo(PayerChannel.State.LEAVING);
    assertThatThrownBy(() -> payer.leaveIdle(hash("no channel")))
        .isInstanceOf(ChannelException.class);
  }

  @Test
  void aReservationIsFoundAgainAndNotMadeTwice() {
    Books books = new Books(folder, 1_000, 1_000);
    Address to = books.payeeKey.address();
    ChannelTerms terms = books.payer().reserve(to, hash("job"), of(1_000), LATER);
    assertThat(books.payer().reserve(to, hash("job"), of(1_000), LATER)).isEqualTo(terms);
    assertThat(books.payer().channelOf(hash("job"))).contains(terms);
    assertThat(books.payer().channels())
        .singleElement()
        .satisfies(channel -> assertThat(channel.held()).isEqualTo(of(1_000)));
  }

  @Test
  void moreThanAJobHoldsIsNotPaid() {
    Books books = new Books(folder, 10_000, 1_000);
    PayerBook payer = books.payer();
    Hash job = hash("job");
    ChannelTerms terms = payer.reserve(books.payeeKey.address(), job, of(300), LATER);
    payer.pay(terms.id(), job, of(200), List.of());
    assertThatThrownBy(() -> payer.pay(terms.id(), job, of(101), List.of(hash("receipt"))))
        .isInstanceOf(ChannelException.class)
        .hasMessageContaining("holds 300")
        .hasMessageContaining("has paid 200");
    assertThatThrownBy(() -> payer.pay(terms.id(), hash("other"), of(1), List.of()))
        .hasMessageContaining("holds nothing");
    // The receipt of the payment that was refused is in no root.
    Payment next = payer.pay(terms.id(), job, of(100), List.of());
    assertThat(next.voucher().voucher().amount()).isEqualTo(of(300));
    assertThat(next.voucher().voucher().receiptsRoot()).isEqualTo(MerkleTree.root(List.of()));
  }

  @Test
  void aLeaseThatEndedFreesItsRoomAndKeepsWhatWasPaid() {
    AtomicReference<Instant> now = new AtomicReference<>(Instant.parse("2030-01-01T00:00:00Z"));
    Books books = new Books(folder, 10_000, 1_000, clock(now));
    PayerBook payer = books.payer();
    PayeeBook payee = books.payee();
    Address to = books.payeeKey.address();
    Instant soon = now.get().plusSeconds(60);
    ChannelTerms terms = payer.reserve(to, hash("1"), of(800), soon);
    assertThat(payee.admit(terms, hash("1"), of(800), soon)).isInstanceOf(Admission.Admitted.class);
    payee.owe(hash("1"), of(300));
    payee.take(payer.pay(terms.id(), hash("1"), of(300), List.of()));
    assertThat(payee.admit(terms, hash("2"), of(700), LATER)).isInstanceOf(Admission.Refused.class);
    now.set(soon.plus(Duration.ofDays(1)));
    assertThat(payer.reserve(to, hash("2"), of(700), LATER)).isEqualTo(terms);
    assertThat(payee.admit(terms, hash("2"), of(700), LATER))
        .isInstanceOf(Admission.Admitted.class);
    assertThat(payer.paid(hash("1"))).isEqualTo(of(300));
    assertThatThrownBy(() -> payer.pay(terms.id(), hash("1"), of(1), List.of()))
        .isInstanceOf(ChannelException.class)
        .hasMessageContaining("held by others");
    // Reserved anew, the job goes on where it was.
    assertThat(payer.reserve(to, hash("1"), of(800), LATER)).isEqualTo(terms);
    assertThat(payer.paid(hash("1"))).isEqualTo(of(300));
    payer.pay(terms.id(), hash("1"), of(500), List.of());
    assertThat(payer.paid(hash("1"))).isEqualTo(of(800));
    assertThatThrownBy(() -> payer.pay(terms.id(), hash("1"), of(1), List.of()))
        .hasMessageContaining("has paid 800");
  }

  @Test
  void aPayerWithTooLittleIsToldAndMayTryAgain() {
    Books books = new Books(folder, 500, 100);
    PayerBook payer = books.payer();
    Address to = books.payeeKey.address();
    assertThatThrownBy(() -> payer.reserve(to, hash("1"), of(501), LATER))
        .isInstanceOf(InsufficientFundsException.class);
    assertThat(payer.channels())
        .singleElement()
        .satisfies(channel -> {
          assertThat(channel.state()).isEqualTo(PayerChannel.State.FAILED);
          assertThat(channel.note()).contains("holds 500");
        });
    ChannelTerms terms = payer.reserve(to, hash("1"), of(400), LATER);
    assertThatThrownBy(() -> payer.reserve(to, hash("2"), of(200), LATER))
        .isInstanceOf(InsufficientFundsException.class);
    assertThat(payer.reserve(to, hash("3"), of(100), LATER)).isEqualTo(terms);
  }

  @Test
  void aVoucherThatIsNotOursIsRefusedWithASentence() {
    Books books = new Books(folder, 10_000, 1_000);
    PayerBook payer = books.payer();
    PayeeBook payee = books.payee();
    Hash job = hash("job");
    ChannelTerms terms = payer.reserve(books.payeeKey.address(), job, of(300), LATER);
    payee.admit(terms, job, of(300), LATER);
    Voucher voucher = new Voucher(terms.id(), of(100), MerkleTree.root(List.of()));
    Domain otherChain = new Domain(1, Books.TOKEN);
    Domain otherContract = new Domain(31_337, books.payeeKey.address());
    for (SignedVoucher bad :
        List.of(
            sign(books.payerKey, otherChain, voucher),
            sign(books.payerKey, otherContract, voucher),
            sign(books.payeeKey, Books.DOMAIN, voucher))) {
      assertThat(payee.take(new Payment(bad, 0, List.of())))
          .isInstanceOfSatisfying(
              Taking.Refused.class,
              refused ->
                  assertThat(refused.sentence())
                      .contains("is not signed by the signer " + books.payerKey.address())
                      .contains("chain 31337"));
    }
    SignedVoucher otherChannel =
        sign(books.payerKey, Books.DOMAIN, new Voucher(hash("channel"), of(1), Hash.ZERO));
    assertThat(payee.take(new Payment(otherChannel, 0, List.of())))
        .isInstanceOfSatisfying(
            Taking.Refused.class,
            refused -> assertThat(refused.sentence()).contains("was admitted here"));
    SignedVoucher tooMuch =
        sign(
            books.payerKey,
            Books.DOMAIN,
            new Voucher(terms.id(), of(1_001), MerkleTree.root(List.of())));
    assertThat(payee.take(new Payment(tooMuch, 0, List.of())))
        .isInstanceOfSatisfying(
            Taking.Refused.class,
            refused -> assertThat(refused.sentence()).contains("holds 1000; top it up"));
    assertThat(payee.take(new Payment(sign(books.payerKey, Books.DOMAIN, voucher), 0, List.of())))
        .isEqualTo(new Taking.Taken(of(100), of(100)));
    assertThat(payee.sameMoney(Books.DOMAIN)).isEmpty();
    assertThat(payee.sameMoney(otherChain).orElseThrow().code()).isEqualTo(RefusalCode.WRONG_CHAIN);
    assertThat(payee.sameMoney(otherContract).orElseThrow().sentence()).contains("contract");
  }

  @Test
  void aChannelThatDoesNotCoverAJobIsRefusedBeforeWorkBegins() {
    Books books = new Books(folder, 10_000, 1_000);
    PayeeBook payee = books.payee();
    Address payer = books.payerKey.address();
    Address own = books.payeeKey.address();
    ChannelTerms terms = new ChannelTerms(payer, payer, own, Books.TOKEN, 1);
    requireRefusal(payee, terms, 10, "There is no channel");
    books.contract.put(new Channel(terms, of(100), TokenAmount.ZERO, Optional.empty(), false));
    requireRefusal(payee, terms, 101, "top it up by 1");
    assertThat(payee.admit(terms, hash("job"), of(100), LATER))
        .isInstanceOf(Admission.Admitted.class);
    requireRefusal(payee, terms, 1, "other jobs");
    requireRefusal(
        payee, new ChannelTerms(payer, payer, payer, Books.TOKEN, 1), 1, "this provider's account");
    requireRefusal(
        payee, new ChannelTerms(payer, payer, own, Address.ZERO, 1), 1, "this provider is paid in");
    TokenAmount most =
        new TokenAmount(java.math.BigInteger.ONE.shiftLeft(128).subtract(java.math.BigInteger.ONE));
    assertThat(payee.admit(terms, hash("huge"), most, Instant.MAX))
        .isInstanceOf(Admission.Refused.class);
    books.contract.put(new Channel(terms, of(100), TokenAmount.ZERO, Optional.of(LATER), false));
    requireRefusal(payee, terms, 1, "is being closed");
    books.contract.put(new Channel(terms, of(100), of(100), Optional.of(LATER), true));
    requireRefusal(payee, terms, 1, "is closed");
    books.contract.setAway(true);
    assertThat(payee.admit(terms, hash("other"), of(1), LATER))
        .isInstanceOfSatisfying(
            Admission.Refused.class,
            refused -> assertThat(refused.refusal().code()).isEqualTo(RefusalCode.UNAVAILABLE));
  }

  private static void requireRefusal(
      PayeeBook payee, ChannelTerms terms, long priceMax, String part) {
    assertThat(payee.admit(terms, hash("other job"), of(priceMax), LATER))
        .isInstanceOfSatisfying(
            Admission.Refused.class,
            refused -> {
              assertThat(refused.refusal().code()).isEqualTo(RefusalCode.NOT_FUNDED);
              assertThat(refused.refusal().sentence()).contains(part);
            });
  }

  @Test
  void aChainThatIsAwayStopsNoPaymentThatItsLastStateCovers() {
    Books books = new Books(folder, 10_000, 1_000);
    PayerBook payer = books.payer();
    PayeeBook payee = books.payee();
    Hash job = hash("job");
    ChannelTerms terms = payer.reserve(books.payeeKey.address(), job, of(300), LATER);
    payee.admit(terms, job, of(300), LATER);
    books.contract.setAway(true);
    assertThat(payee.take(payer.pay(terms.id(), job, of(300), List.of())))
        .isEqualTo(new Taking.Taken(of(300), of(300)));
    assertThat(payer.reserve(books.payeeKey.address(), hash("next"), of(700), LATER))
        .isEqualTo(terms);
  }

  @Test
  void receiptsThatContradictAreRefusedAndGapsAreFilledLater() {
    Books books = new Books(folder, 10_000, 1_000);
    PayerBook payer = books.payer();
    PayeeBook payee = books.payee();
    Hash job = hash("job");
    ChannelTerms terms = payer.reserve(books.payeeKey.address(), job, of(900), LATER);
    payee.admit(terms, job, of(900), LATER);
    Payment a = payer.pay(terms.id(), job, of(100), List.of(hash("a")));
    Payment b = payer.pay(terms.id(), job, of(100), List.of(hash("b"), hash("c")));
    Payment c = payer.pay(terms.id(), job, of(100), List.of(hash("d")));
    assertThat(payee.take(c)).isEqualTo(new Taking.Taken(of(300), of(300)));
    assertThat(payee.take(a)).isEqualTo(new Taking.Taken(of(0), of(300)));
    // Another order of receipts at a place that is known.
    assertThat(payee.take(new Payment(c.voucher(), 3, List.of(hash("x")))))
        .isInstanceOfSatisfying(
            Taking.Refused.class, refused -> assertThat(refused.sentence()).contains("Receipt 3"));
    assertThat(payee.take(b)).isEqualTo(new Taking.Taken(of(0), of(300)));
    // Now all are known, also after a restart, and a root must be theirs.
    Voucher wrong = new Voucher(terms.id(), of(400), hash("no root"));
    PayeeBook again = books.payee();
    assertThat(again.take(new Payment(sign(books.payerKey, Books.DOMAIN, wrong), 4, List.of())))
        .isInstanceOfSatisfying(
            Taking.Refused.class,
            refused -> assertThat(refused.sentence()).contains("receipts root"));
    Payment d = payer.pay(terms.id(), job, of(100), List.of());
    assertThat(again.take(new Payment(d.voucher(), 3, List.of())))
        .isInstanceOfSatisfying(
            Taking.Refused.class,
            refused -> assertThat(refused.sentence()).contains("told before"));
    assertThat(again.take(d)).isEqualTo(new Taking.Taken(of(100), of(400)));
  }

  @Test
  void aChannelThatHasPaidManyJobsTellsNoMoreReceiptsAgainThanAStreamTakes() {
    Books books = new Books(folder, 10_000, 1_000);
    PayerBook payer = books.payer();
    PayeeBook payee = books.payee();
    Optional<Hash> channel = Optional.empty();
    for (int i = 0; i < Payment.RECEIPTS_MAX + 6; i++) {
      Hash job = hash("job " + i);
      ChannelTerms terms = payer.reserve(books.payeeKey.address(), job, of(10), LATER);
      channel = Optional.of(terms.id());
      payee.admit(terms, job, of(10), LATER);
      payee.owe(job, of(10));
      Payment paid = payer.pay(terms.id(), job, of(10), List.of(hash("receipt " + i)));
      assertThat(payee.take(paid)).isInstanceOf(Taking.Taken.class);
      payee.end(job);
      payer.release(job);
    }
    Payment again = books.payer().latest(channel.orElseThrow()).orElseThrow();
    assertThat(again.receiptsBefore()).isEqualTo(6);
    assertThat(again.receipts()).hasSize(Payment.RECEIPTS_MAX);
    assertThat(books.payee().take(again)).isInstanceOf(Taking.Taken.class);
  }

  @Test
  void receiptsOfNoJobsAreNotKept() {
    Books books = new Books(folder, 10_000, 1_000);
    PayerBook payer = books.payer();
    PayeeBook payee = books.payee();
    Hash job = hash("job");
    ChannelTerms terms = payer.reserve(books.payeeKey.address(), job, of(900), LATER);
    payee.admit(terms, job, of(900), LATER);
    SignedVoucher voucher = payer.pay(terms.id(), job, of(100), List.of(hash("a"))).voucher();
    for (int far = 1; far < 3_000; far += 30) {
      Payment junk = new Payment(voucher, far * 200L, List.of(hash("junk " + far)));
      assertThat(payee.take(junk)).isInstanceOf(Taking.Taken.class);
    }
    assertThat(receipts(payee)).as("behind a gap").isEqualTo(1);

    // One after the other, under roots that are right: no more than there were jobs.
    MerkleLog log = new MerkleLog();
    Taking last = new Taking.Refused("none");
    long told = 0;
    while (told < 1_000) {
      Hash receipt = hash("made up " + told);
      log.append(MerkleTree.leaf(receipt.bytes()));
      Voucher one = new Voucher(terms.id(), of(101 + told), log.root());
      last =
          payee.take(new Payment(sign(books.payerKey, Books.DOMAIN, one), told, List.of(receipt)));
      if (last instanceof Taking.Refused) {
        break;
      }
      told++;
    }
    assertThat(told).isLessThan(200);
    assertThat(((Taking.Refused) last).sentence()).contains("was to pay for 1 jobs");
  }

  private static long receipts(PayeeBook payee) {
    return payee
        .store()
        .reading(handle ->
            handle
                .createQuery("SELECT count(*) FROM ledger_channel_receipt")
                .mapTo(Long.class)
                .one());
  }

  @Test
  void whatAnEndpointSaysOfAnEarlierBlockDoesNotTellTheNews() {
    Books books = new Books(folder, 10_000, 1_000);
    PayerBook payer = books.payer();
    PayeeBook payee = books.payee();
    ChannelTerms terms = payer.reserve(books.payeeKey.address(), hash("job"), of(300), LATER);
    payee.admit(terms, hash("job"), of(300), LATER);
    ChannelLook look = new ChannelLook(payee.store(), books.contract);
    long block = books.contract.read(terms).block();
    payee
        .store()
        .transaction(handle -> {
          ChannelStore.news(handle, terms.id(), block + 1);
          return true;
        });
    ChannelRow behind = look.refresh(payee.store().find(terms.id()).orElseThrow());
    assertThat(behind.stale()).as("the endpoint is behind the news").isTrue();
    books.contract.requestClose(terms);
    ChannelRow told = look.refresh(behind);
    assertThat(told.stale()).isFalse();
    assertThat(told.channel().closesAt()).isPresent();
  }

  @Test
  void aPayerSignsNothingOnTopOfWhatItsVouchersNeverPromised() {
    Books books = new Books(folder, 10_000, 1_000);
    PayerBook payer = books.payer();
    Hash job = hash("job");
    ChannelTerms terms = payer.reserve(books.payeeKey.address(), job, of(300), LATER);
    Channel there = books.contract.get(terms.id());
    books.contract.put(new Channel(terms, there.deposit(), of(999), Optional.empty(), false));
    assertThat(payer.pays(terms.id())).isFalse();
    assertThatThrownBy(() -> payer.pay(terms.id(), job, of(1), List.of()))
        .isInstanceOf(ChannelException.class)
        .hasMessageContaining("999 were paid out")
        .hasMessageContaining("vouchers over 0");
  }

  @Test
  void whatEndedJobsOweStaysOwed() {
    Books books = new Books(folder, 10_000, 1_000);
    PayerBook payer = books.payer();
    PayeeBook payee = books.payee();
    ChannelTerms terms = payer.reserve(books.payeeKey.address(), hash("1"), of(300), LATER);
    payee.admit(terms, hash("1"), of(300), LATER);
    payee.owe(hash("1"), of(200));
    payee.end(hash("1"));
    assertThat(payee.unpaid(terms.id())).isEqualTo(of(200));
    assertThat(books.payee().unpaid(terms.id())).isEqualTo(of(200));
    assertThat(payee.admit(terms, hash("2"), of(300), LATER))
        .isInstanceOfSatisfying(
            Admission.Admitted.class, admitted -> assertThat(admitted.unpaid()).isEqualTo(of(200)));
    assertThatThrownBy(() -> payee.owe(hash("3"), of(1))).isInstanceOf(ChannelException.class);
  }

  @Test
  void aChannelThatIsLeftOrWithheldGetsNoFurtherVoucher() {
    Books books = new Books(folder, 10_000, 1_000);
    PayerBook payer = books.payer();
    Address to = books.payeeKey.address();
    Hash job = hash("job");
    ChannelTerms terms = payer.reserve(to, job, of(300), LATER);
    payer.withhold(terms.id(), "an audit of job 7 failed");
    assertThatThrownBy(() -> payer.pay(terms.id(), job, of(1), List.of()))
        .hasMessageContaining("an audit of job 7 failed");
    ChannelTerms next = payer.reserve(to, hash("next"), of(300), LATER);
    assertThat(next).isNotEqualTo(terms);
    payer.leave(terms.id());
    assertThat(payer.closeDue()).isEqualTo(1);
    assertThat(books.contract.get(terms.id()).closed()).isTrue();
    assertThat(payer.closeDue()).isZero();
  }

  private static Clock clock(AtomicReference<Instant> now) {
    return new Clock() {
      @Override
      public ZoneId getZone() {
        return ZoneOffset.UTC;
      }

      @Override
      public Clock withZone(ZoneId zone) {
        return this;
      }

      @Override
      public Instant instant() {
        return now.get();
      }
    };
  }
}

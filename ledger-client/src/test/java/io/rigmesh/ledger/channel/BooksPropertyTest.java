package io.rigmesh.ledger.channel;

import static io.rigmesh.ledger.channel.Books.LATER;
import static io.rigmesh.ledger.channel.Books.hash;
import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.TokenAmount;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.constraints.IntRange;

class BooksPropertyTest {
  private static final long PRICE_MAX = 1_000;

  /// Streams share a channel from several threads: each pays its job in random steps.
  @Property(tries = 8, shrinking = ShrinkingMode.OFF)
  void vouchersOnlyGrowNeverPassTheDepositAndSumUpUnderConcurrency(
      @ForAll @IntRange(min = 1, max = 5) int streams, @ForAll long seed) throws Exception {
    Path folder = Files.createTempDirectory("books");
    try {
      Books books = new Books(folder, 1_000_000, 2_500);
      PayerBook payer = books.payer();
      PayeeBook payee = books.payee();
      ConcurrentLinkedQueue<Payment> payments = new ConcurrentLinkedQueue<>();
      try (ExecutorService threads = Executors.newFixedThreadPool(streams)) {
        List<Future<Long>> sums = new ArrayList<>();
        for (int i = 0; i < streams; i++) {
          int stream = i;
          sums.add(threads.submit(() -> stream(books, payer, payee, stream, seed, payments)));
        }
        long sum = 0;
        for (Future<Long> one : sums) {
          sum += one.get();
        }
        requireAll(books, payee, new ArrayList<>(payments), sum, seed);
      }
    } finally {
      delete(folder);
    }
  }

  private static long stream(
      Books books,
      PayerBook payer,
      PayeeBook payee,
      int stream,
      long seed,
      ConcurrentLinkedQueue<Payment> payments) {
    Random random = new Random(seed + stream);
    Hash job = hash("job " + stream);
    ChannelTerms terms =
        payer.reserve(books.payeeKey.address(), job, TokenAmount.of(PRICE_MAX), LATER);
    assertThat(payee.admit(terms, job, TokenAmount.of(PRICE_MAX), LATER))
        .isInstanceOf(Admission.Admitted.class);
    long sum = 0;
    while (sum < PRICE_MAX) {
      long step = Math.min(PRICE_MAX - sum, 1 + random.nextInt(400));
      sum += step;
      payee.owe(job, TokenAmount.of(sum));
      List<Hash> receipts = random.nextBoolean() ? List.of(hash(stream + " " + sum)) : List.of();
      payments.add(payer.pay(terms.id(), job, TokenAmount.of(step), receipts));
    }
    payee.end(job);
    return sum;
  }

  /// In any order, some of them twice, the payee ends with the highest and nothing unpaid.
  private static void requireAll(
      Books books, PayeeBook payee, List<Payment> payments, long sum, long seed) {
    Comparator<Payment> byAmount =
        Comparator.comparing(payment -> payment.voucher().voucher().amount());
    List<Payment> ordered = payments.stream().sorted(byAmount).toList();
    long receipts = 0;
    TokenAmount last = TokenAmount.ZERO;
    for (Payment payment : ordered) {
      assertThat(payment.voucher().voucher().amount()).isGreaterThan(last);
      last = payment.voucher().voucher().amount();
      assertThat(payment.receiptsBefore()).isEqualTo(receipts);
      receipts += payment.receipts().size();
    }
    assertThat(last).isEqualTo(TokenAmount.of(sum));
    Hash channel = ordered.getFirst().voucher().voucher().channel();
    assertThat(last).isLessThanOrEqualTo(books.contract.get(channel).deposit());

    List<Payment> shuffled = new ArrayList<>(payments);
    shuffled.addAll(payments.subList(0, payments.size() / 3));
    Collections.shuffle(shuffled, new Random(seed));
    TokenAmount paid = TokenAmount.ZERO;
    for (Payment payment : shuffled) {
      Taking taking = payee.take(payment);
      assertThat(taking).isInstanceOf(Taking.Taken.class);
      paid = paid.plus(((Taking.Taken) taking).paid());
    }
    assertThat(paid).isEqualTo(last);
    assertThat(payee.unpaid(channel)).isEqualTo(TokenAmount.ZERO);
    assertThat(books.payee().channels())
        .singleElement()
        .satisfies(one -> {
          assertThat(one.promised()).isEqualTo(one.owed());
          assertThat(one.mayCost()).isEqualTo(TokenAmount.ZERO);
        });
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}

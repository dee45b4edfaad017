package io.rigmesh.ledger.channel;

import io.rigmesh.ledger.ChainUnavailableException;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.MalformedException;
import io.rigmesh.protocol.MerkleLog;
import io.rigmesh.protocol.MerkleTree;
import io.rigmesh.protocol.Refusal;
import io.rigmesh.protocol.RefusalCode;
import io.rigmesh.protocol.SignedVoucher;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.protocol.Voucher;
import java.math.BigInteger;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What a provider has been promised and what its jobs have earned. It says whether a channel
/// covers a job before work begins, counts what jobs owe, checks vouchers, and writes each down
/// before it counts.
///
/// Debt and payment are counted by channel, owed by all of its jobs against the highest voucher, so
/// vouchers of several streams may come in any order, twice, or not at all where a later one comes.
/// Safe for use by several threads.
public final class PayeeBook {
  private static final Logger LOG = LoggerFactory.getLogger(PayeeBook.class);

  private final ChannelStore store;
  private final ChannelContract contract;
  private final Domain domain;
  private final Address payee;
  private final Address token;
  private final Clock clock;

  /// What running jobs owe now, which is more than what is stored: it is stored with the next
  /// voucher, and a crash forgets only what nobody has paid for.
  private final Map<Hash, TokenAmount> owed = new ConcurrentHashMap<>();

  private final Map<Hash, Receipts> receipts = new ConcurrentHashMap<>();

  /// The receipts of a channel as far as all of them are known, and the lock under which its
  /// vouchers are taken.
  private static final class Receipts {
    final ReentrantLock lock = new ReentrantLock();
    Optional<MerkleLog> log = Optional.empty();
  }

  /// The book of a payee's channels in one token.
  public PayeeBook(Jdbi jdbi, ChannelContract contract, Address payee, Address token, Clock clock) {
    this.domain = contract.domain();
    this.store = new ChannelStore(jdbi, domain, payee, ChannelStore.Role.PAYEE);
    this.contract = contract;
    this.payee = payee;
    this.token = token;
    this.clock = clock;
  }

  /// The EIP-712 domain of the vouchers that are taken.
  public Domain domain() {
    return domain;
  }

  /// A refusal where a requester means another chain or contract than this book.
  public Optional<Refusal> sameMoney(Domain theirs) {
    if (theirs.chainId() != domain.chainId()) {
      return Optional.of(
          new Refusal(
              RefusalCode.WRONG_CHAIN,
              "This provider is paid on the chain %d and not on %d; use a channel there."
                  .formatted(domain.chainId(), theirs.chainId())));
    }
    if (!theirs.verifyingContract().equals(domain.verifyingContract())) {
      return Optional.of(
          new Refusal(
              RefusalCode.WRONG_CHAIN,
              "This provider is paid through the contract %s and not through %s; compare the deployment files."
                  .formatted(domain.verifyingContract(), theirs.verifyingContract())));
    }
    return Optional.empty();
  }

  /// Says whether a channel covers a job, and if so holds that room for it. The chain is asked. A
  /// job that was admitted already is found, with its new price limit.
  ///
  /// @param until when the room is free again by itself
  public Admission admit(ChannelTerms terms, Hash job, TokenAmount priceMax, Instant until) {
    if (!terms.payee().equals(payee)) {
      return refused(
          "The channel %s pays %s, and this provider's account is %s."
              .formatted(terms.id(), terms.payee(), payee));
    }
    if (!terms.token().equals(token)) {
      return refused(
          "The channel %s holds the token %s, and this provider is paid in %s."
              .formatted(terms.id(), terms.token(), token));
    }
    long news = store.find(terms.id()).map(ChannelRow::news).orElse(1L);
    ChannelContract.Reading reading;
    try {
      reading = contract.read(terms);
    } catch (ChainUnavailableException e) {
      return new Admission.Refused(
          new Refusal(
              RefusalCode.UNAVAILABLE,
              "This provider's chain is away, so no channel can be looked at; try again later."));
    }
    return store.transaction(handle -> admit(handle, terms, job, priceMax, until, reading, news));
  }

  /// Sets what a job owes in all so far. Cheap: it is written down with the next voucher, or when
  /// the job ends.
  ///
  /// @throws ChannelException if the job is not admitted
  public void owe(Hash job, TokenAmount priceSoFar) {
    if (owed.replace(job, priceSoFar) == null) {
      if (!isAdmitted(job)) {
        throw new ChannelException("The job " + job + " is paid by no channel here.");
      }
      owed.put(job, priceSoFar);
    }
  }

  /// Takes a payment, in any order.
  public Taking take(Payment payment) {
    Voucher voucher = payment.voucher().voucher();
    Optional<ChannelRow> known = store.find(voucher.channel());
    if (known.isEmpty()) {
      return new Taking.Refused(
          "No job that the channel %s pays was admitted here.".formatted(voucher.channel()));
    }
    Address signer = known.get().terms().signer();
    if (!payment.voucher().isSignedBy(signer, domain)) {
      return new Taking.Refused(
          "The voucher over %s is not signed by the signer %s of the channel %s for the chain %d and the contract %s: %s."
              .formatted(
                  voucher.amount(),
                  signer,
                  voucher.channel(),
                  domain.chainId(),
                  domain.verifyingContract(),
                  signedBy(payment.voucher())));
    }
    Optional<String> worthless = worthless(known.get(), voucher.amount());
    if (worthless.isPresent()) {
      return new Taking.Refused(worthless.get());
    }
    Receipts receipts = this.receipts.computeIfAbsent(voucher.channel(), key -> new Receipts());
    receipts.lock.lock();
    try {
      return store.transaction(handle -> take(handle, receipts, payment));
    } catch (RuntimeException e) {
      // What was appended is not stored; the next payment reads the list again.
      receipts.log = Optional.empty();
      throw e;
    } finally {
      receipts.lock.unlock();
    }
  }

  /// What a channel's jobs owe above its highest voucher.
  public TokenAmount unpaid(Hash channel) {
    return store.transaction(handle ->
        store.find(handle, channel).map(row -> unpaid(handle, row)).orElse(TokenAmount.ZERO));
  }

  /// Ends a job: it costs no more than it owes now, and the rest of its room is free. What it owes
  /// stays owed by its channel. A job that ended and is admitted again goes on where it was.
  public void end(Hash job) {
    store.transaction(handle -> {
      for (Hash channel : store.channelsOf(handle, job)) {
        ChannelRow row = store.get(handle, channel);
        for (ChannelStore.Part part : store.parts(handle, row.id())) {
          if (part.job().equals(job) && !part.ended()) {
            TokenAmount owes = owes(part);
            store.setOwedEnded(handle, row.id(), row.owedEnded().plus(owes));
            store.putPart(
                handle,
                row.id(),
                new ChannelStore.Part(job, part.most(), owes, part.until(), true));
          }
        }
      }
      return true;
    });
    owed.remove(job);
  }

  /// All channels of this book.
  public List<PayeeChannel> channels() {
    Instant now = clock.instant();
    return store.transaction(handle ->
        store.channels(handle).stream()
            .map(row ->
                new PayeeChannel(
                    row.channel(), row.promised(), owed(handle, row), mayCost(handle, row, now)))
            .toList());
  }

  /// The store, for handing vouchers in.
  ChannelStore store() {
    return store;
  }

  private Admission admit(
      Handle handle,
      ChannelTerms terms,
      Hash job,
      TokenAmount priceMax,
      Instant until,
      ChannelContract.Reading reading,
      long news) {
    Optional<ChannelRow> known = store.find(handle, terms.id());
    if (known.isPresent()) {
      store.read(handle, known.get().id(), reading, news);
    } else if (reading.channel().isPresent()) {
      store.add(
          handle,
          terms,
          PayerChannel.State.OPEN,
          Optional.empty(),
          // What was redeemed before this book knew the channel was owed before, too.
          reading.channel().get().redeemed());
      store.read(handle, store.get(handle, terms.id()).id(), reading, news);
    }
    Optional<ChannelRow> found = store.find(handle, terms.id());
    if (found.isEmpty() || found.get().channel().deposit().equals(TokenAmount.ZERO)) {
      return refused(
          "There is no channel %s at %s on the chain %d, or it is not deep enough yet; open it, or wait for more blocks."
              .formatted(terms.id(), domain.verifyingContract(), domain.chainId()));
    }
    ChannelRow row = found.get();
    Channel channel = row.channel();
    if (channel.closed()) {
      return refused("The channel %s is closed; open another.".formatted(terms.id()));
    }
    if (channel.closesAt().isPresent()) {
      return refused(
          "The channel %s is being closed, from %s on; open another."
              .formatted(terms.id(), channel.closesAt().get()));
    }
    List<Hash> elsewhere =
        store.channelsOf(handle, job).stream().filter(c -> !c.equals(terms.id())).toList();
    if (!elsewhere.isEmpty()) {
      return refused(
          "The job %s is paid by the channel %s already.".formatted(job, elsewhere.getFirst()));
    }
    Instant now = clock.instant();
    store.forgetOldParts(handle, row.id(), now);
    TokenAmount own = TokenAmount.ZERO;
    TokenAmount others = TokenAmount.ZERO;
    TokenAmount ended = row.owedEnded();
    for (ChannelStore.Part part : store.parts(handle, row.id())) {
      if (part.job().equals(job)) {
        own = owes(part);
        ended = part.ended() ? ended.minus(own) : ended;
      } else if (!part.ended()) {
        others = others.plus(owes(part)).plus(left(part, now));
      }
    }
    TokenAmount mayCost = own.compareTo(priceMax) > 0 ? own : priceMax;
    TokenAmount bound = ended.plus(others);
    // A price limit is what a stranger wrote, up to the last bit.
    BigInteger missing = bound.units().add(mayCost.units()).subtract(channel.deposit().units());
    if (missing.signum() > 0) {
      return refused(
          "The channel %s holds %s, of which %s are owed or may be owed by other jobs already; this one may cost %s, so top it up by %s."
              .formatted(terms.id(), channel.deposit(), bound, mayCost, missing));
    }
    store.setOwedEnded(handle, row.id(), ended);
    store.putPart(handle, row.id(), new ChannelStore.Part(job, mayCost, own, until, false));
    owed.putIfAbsent(job, own);
    return new Admission.Admitted(channel, unpaid(handle, store.get(handle, terms.id())));
  }

  private Taking take(Handle handle, Receipts known, Payment payment) {
    Voucher voucher = payment.voucher().voucher();
    ChannelRow row = store.get(handle, voucher.channel());
    Optional<String> contradiction = noteReceipts(handle, row, known, payment);
    if (contradiction.isPresent()) {
      return new Taking.Refused(contradiction.get());
    }
    // Now is the time to write down what its jobs owe, too.
    for (ChannelStore.Part part : store.parts(handle, row.id())) {
      if (!part.ended() && !owes(part).equals(part.used())) {
        store.putPart(
            handle,
            row.id(),
            new ChannelStore.Part(part.job(), part.most(), owes(part), part.until(), false));
      }
    }
    TokenAmount before = row.spent();
    if (voucher.amount().compareTo(row.promised()) > 0) {
      store.setNewest(handle, row.id(), payment.voucher());
    }
    return voucher.amount().compareTo(before) > 0
        ? new Taking.Taken(voucher.amount().minus(before), voucher.amount())
        : new Taking.Taken(TokenAmount.ZERO, before);
  }

  /// Stores the receipts that a payment tells, and checks the voucher's root where all of them are
  /// known. Returns what contradicts, in which case nothing is stored.
  private Optional<String> noteReceipts(
      Handle handle, ChannelRow row, Receipts known, Payment payment) {
    Voucher voucher = payment.voucher().voucher();
    long position = payment.receiptsBefore();
    for (Hash receipt : payment.receipts()) {
      Optional<Hash> stored = store.receipt(handle, row.id(), position);
      if (stored.isPresent() && !stored.get().equals(receipt)) {
        return Optional.of(
            "Receipt %d of the channel %s was %s before and is %s now; the order in which receipts are paid never changes."
                .formatted(position, row.channelId(), stored.get(), receipt));
      }
      position++;
    }
    MerkleLog log = known.log.orElseGet(MerkleLog::new).copy();
    extend(handle, row, log);
    boolean newest = voucher.amount().compareTo(row.promised()) > 0;
    if (newest && position < log.count()) {
      return Optional.of(
          "The voucher over %s is the newest of the channel %s and has %d receipts, but %d were told before."
              .formatted(voucher.amount(), row.channelId(), position, log.count()));
    }
    for (long next = log.count(); next >= payment.receiptsBefore() && next < position; next++) {
      Hash receipt = payment.receipts().get((int) (next - payment.receiptsBefore()));
      log.append(MerkleTree.leaf(receipt.bytes()));
    }
    if (log.count() == position && !log.root().equals(voucher.receiptsRoot())) {
      return Optional.of(
          "The voucher's receipts root %s is not that of the channel's %d receipts, %s."
              .formatted(voucher.receiptsRoot(), position, log.root()));
    }
    position = payment.receiptsBefore();
    for (Hash receipt : payment.receipts()) {
      store.addReceipt(handle, row.id(), position++, receipt);
    }
    extend(handle, row, log);
    known.log = Optional.of(log);
    return Optional.empty();
  }

  /// Appends receipts that are stored, up to the first that is not known.
  private void extend(Handle handle, ChannelRow row, MerkleLog log) {
    store
        .receipts(handle, row.id(), log.count(), Long.MAX_VALUE - log.count())
        .forEach(receipt -> log.append(MerkleTree.leaf(receipt.bytes())));
  }

  /// Why a voucher of this amount could not be redeemed. The chain is asked only where what is
  /// known does not cover it; where it is away then, the voucher is taken at its word no further
  /// than the deposit that is known.
  private Optional<String> worthless(ChannelRow row, TokenAmount amount) {
    ChannelRow known = row;
    boolean covered = amount.compareTo(known.channel().deposit()) <= 0;
    if (known.stale() || !covered || known.channel().closed()) {
      try {
        ChannelContract.Reading reading = contract.read(known.terms());
        known =
            store.transaction(handle -> {
              store.read(handle, row.id(), reading, row.news());
              return store.get(handle, row.channelId());
            });
      } catch (ChainUnavailableException e) {
        LOG.warn(
            "the channel {} is judged as it was known last: {}", row.channelId(), e.getMessage());
      }
    }
    if (known.channel().closed()) {
      return Optional.of(
          "The channel %s is closed, so its vouchers are worth nothing; open another."
              .formatted(known.channelId()));
    }
    if (amount.compareTo(known.channel().deposit()) > 0) {
      return Optional.of(
          "The voucher promises %s, and the channel %s holds %s; top it up first."
              .formatted(amount, known.channelId(), known.channel().deposit()));
    }
    return Optional.empty();
  }

  private String signedBy(SignedVoucher voucher) {
    try {
      return "by " + voucher.signer(domain) + ", as far as can be told";
    } catch (MalformedException e) {
      return "it fits no public key";
    }
  }

  private boolean isAdmitted(Hash job) {
    return store.transaction(handle -> {
      for (Hash channel : store.channelsOf(handle, job)) {
        for (ChannelStore.Part part : store.parts(handle, store.get(handle, channel).id())) {
          if (part.job().equals(job) && !part.ended()) {
            return true;
          }
        }
      }
      return false;
    });
  }

  /// What a job owes: what was said last, or what is stored since before a restart.
  private TokenAmount owes(ChannelStore.Part part) {
    return owed.getOrDefault(part.job(), part.used());
  }

  private TokenAmount left(ChannelStore.Part part, Instant now) {
    TokenAmount owes = owes(part);
    return !part.ended() && now.isBefore(part.until()) && part.most().compareTo(owes) > 0
        ? part.most().minus(owes)
        : TokenAmount.ZERO;
  }

  private TokenAmount owed(Handle handle, ChannelRow row) {
    TokenAmount sum = row.owedEnded();
    for (ChannelStore.Part part : store.parts(handle, row.id())) {
      sum = part.ended() ? sum : sum.plus(owes(part));
    }
    return sum;
  }

  private TokenAmount mayCost(Handle handle, ChannelRow row, Instant now) {
    TokenAmount sum = TokenAmount.ZERO;
    for (ChannelStore.Part part : store.parts(handle, row.id())) {
      sum = sum.plus(left(part, now));
    }
    return sum;
  }

  private TokenAmount unpaid(Handle handle, ChannelRow row) {
    TokenAmount sum = owed(handle, row);
    return sum.compareTo(row.spent()) > 0 ? sum.minus(row.spent()) : TokenAmount.ZERO;
  }

  private static Admission refused(String sentence) {
    return new Admission.Refused(new Refusal(RefusalCode.NOT_FUNDED, sentence));
  }
}

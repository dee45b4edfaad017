package io.rigmesh.ledger.channel;

import io.rigmesh.ledger.ChainUnavailableException;
import io.rigmesh.ledger.InsufficientGasFundsException;
import io.rigmesh.ledger.LedgerException;
import io.rigmesh.ledger.TransactionFailedException;
import io.rigmesh.ledger.TransactionPendingException;
import io.rigmesh.ledger.TransactionRefusedException;
import io.rigmesh.ledger.account.AccountSigner;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.MerkleLog;
import io.rigmesh.protocol.MerkleTree;
import io.rigmesh.protocol.Signature;
import io.rigmesh.protocol.SignedVoucher;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.protocol.Voucher;
import java.security.SecureRandom;
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

/// What a requester has put into channels and promised out of them. It opens channels and tops them
/// up when jobs need room, gives each job a part that no other job can spend, and signs vouchers,
/// each written down before anybody sees it, so that after a crash no voucher promises less than
/// one before.
///
/// Three things always hold: a channel's vouchers never decrease; none exceeds the deposit that the
/// chain showed at the confirmation depth; and a job never pays more than it holds. Safe for use by
/// several threads, which may share a channel.
public final class PayerBook {
  private static final Logger LOG = LoggerFactory.getLogger(PayerBook.class);

  /// Receipts that travel with a voucher which is sent again.
  private static final int RECEIPTS_AGAIN_MAX = 100;

  private static final SecureRandom RANDOM = new SecureRandom();

  private final ChannelStore store;
  private final ChannelContract contract;
  private final AccountSigner signer;
  private final Domain domain;
  private final Address payer;
  private final Address token;
  private final PayerSettings settings;
  private final Clock clock;
  private final Map<Address, ReentrantLock> funding = new ConcurrentHashMap<>();
  private final Map<Hash, Receipts> receipts = new ConcurrentHashMap<>();

  /// The receipts of a channel, and the lock under which its vouchers are made.
  private static final class Receipts {
    final ReentrantLock lock = new ReentrantLock();
    Optional<MerkleLog> log = Optional.empty();
  }

  /// The book of a payer's channels in one token.
  ///
  /// @param signer signs the vouchers: the payer's key, or a session key of it
  /// @param payer the account whose money it is
  public PayerBook(
      Jdbi jdbi,
      ChannelContract contract,
      AccountSigner signer,
      Address payer,
      Address token,
      PayerSettings settings,
      Clock clock) {
    this.domain = contract.domain();
    this.store = new ChannelStore(jdbi, domain, payer, ChannelStore.Role.PAYER);
    this.contract = contract;
    this.signer = signer;
    this.payer = payer;
    this.token = token;
    this.settings = settings;
    this.clock = clock;
  }

  /// The EIP-712 domain of the vouchers.
  public Domain domain() {
    return domain;
  }

  /// Finds a channel to a payee with `priceMax` of free room, tops one up or opens one where there
  /// is none, and holds that room for a job. Blocks until what it needs is confirmed. A job that
  /// holds a part already is found, not repeated, also after a restart.
  ///
  /// @param until when the hold ends by itself
  /// @throws InsufficientFundsException if the payer has not that much
  /// @throws io.rigmesh.ledger.TransactionPendingException if confirming takes too long; asking
  ///   again goes on with the same transaction
  /// @throws TransactionRefusedException if the chain would revert the opening or the top-up
  public ChannelTerms reserve(Address payee, Hash job, TokenAmount priceMax, Instant until) {
    refreshStale(payee);
    while (true) {
      Optional<ChannelTerms> held =
          store.transaction(handle -> hold(handle, payee, job, priceMax, until));
      if (held.isPresent()) {
        return held.get();
      }
      room(payee, priceMax);
    }
  }

  /// The same without holding the room: another job may take it.
  public ChannelTerms room(Address payee, TokenAmount amount) {
    // One at a time for each payee, so that two jobs do not both open a channel.
    ReentrantLock lock = funding.computeIfAbsent(payee, key -> new ReentrantLock());
    lock.lock();
    try {
      refreshStale(payee);
      while (true) {
        Optional<ChannelRow> unfinished =
            store.transaction(handle ->
                usable(handle, payee).stream()
                    .filter(row -> row.funding().isPresent())
                    .findFirst());
        if (unfinished.isPresent()) {
          fund(unfinished.get());
          continue;
        }
        Optional<ChannelRow> roomy =
            store.transaction(handle ->
                usable(handle, payee).stream()
                    .filter(row -> free(handle, row, clock.instant()).compareTo(amount) >= 0)
                    .findFirst());
        if (roomy.isPresent()) {
          return roomy.get().terms();
        }
        plan(payee, amount);
      }
    } finally {
      lock.unlock();
    }
  }

  /// Signs a voucher for `increment` more than the last one, out of what the job holds, and writes
  /// it down.
  ///
  /// @param paid hashes of the receipts that are paid in full with this payment, in any order that
  ///   is to be the order of their payment
  /// @throws ChannelException if the job does not hold that much, or the channel gets no vouchers
  public Payment pay(Hash channel, Hash job, TokenAmount increment, List<Hash> paid) {
    Receipts known = receipts.computeIfAbsent(channel, key -> new Receipts());
    known.lock.lock();
    try {
      return store.transaction(handle -> pay(handle, known, channel, job, increment, paid));
    } catch (RuntimeException e) {
      // What was appended is not stored; the next voucher reads the list again.
      known.log = Optional.empty();
      throw e;
    } finally {
      known.lock.unlock();
    }
  }

  /// The newest voucher, with the last receipts under its root, to be sent again on any stream.
  public Optional<Payment> latest(Hash channel) {
    return store.transaction(handle ->
        store
            .find(handle, channel)
            .flatMap(row ->
                row.newest()
                    .map(newest -> {
                      long count = store.receiptCount(handle, row.id());
                      long before = Math.max(0, count - RECEIPTS_AGAIN_MAX);
                      return new Payment(
                          newest,
                          before,
                          store.receipts(handle, row.id(), before, RECEIPTS_AGAIN_MAX));
                    })));
  }

  /// What was paid for a job so far, until a week after its lease ended.
  public TokenAmount paid(Hash job) {
    return store.transaction(handle -> {
      TokenAmount sum = TokenAmount.ZERO;
      for (Hash channel : store.channelsOf(handle, job)) {
        for (ChannelStore.Part part : store.parts(handle, store.get(handle, channel).id())) {
          sum = part.job().equals(job) ? sum.plus(part.used()) : sum;
        }
      }
      return sum;
    });
  }

  /// The channel that a job was first paid by.
  public Optional<ChannelTerms> channelOf(Hash job) {
    return store.transaction(handle ->
        store.channelsOf(handle, job).stream()
            .findFirst()
            .map(channel -> store.get(handle, channel).terms()));
  }

  /// Frees what a job holds and has not paid. What it has paid is known for another week.
  public void release(Hash job) {
    store.transaction(handle -> {
      for (Hash channel : store.channelsOf(handle, job)) {
        ChannelRow row = store.get(handle, channel);
        ChannelStore.Part part = part(handle, row, job).orElseThrow();
        store.putPart(
            handle,
            row.id(),
            new ChannelStore.Part(job, part.used(), part.used(), part.until(), false));
      }
      return true;
    });
  }

  /// Gives a channel no further voucher, because of something that its payee did.
  public void withhold(Hash channel, String reason) {
    store.transaction(handle -> {
      ChannelRow row = store.get(handle, channel);
      store.setState(handle, row.id(), row.state(), reason);
      return true;
    });
  }

  /// Asks to close a channel; [#closeDue] closes it when it may be. It gets no further voucher.
  public void leave(Hash channel) {
    ChannelRow row =
        store.transaction(handle -> {
          ChannelRow found = store.get(handle, channel);
          store.setState(handle, found.id(), PayerChannel.State.LEAVING, found.note());
          return found;
        });
    contract.requestClose(row.terms());
    refresh(row);
  }

  /// Goes on with channels that are being left: asks to close where that was not done yet, and
  /// closes those whose challenge time is over. To be called now and then.
  ///
  /// @return how many were closed
  public int closeDue() {
    int closed = 0;
    for (ChannelRow row : store.channels()) {
      if (row.state() != PayerChannel.State.LEAVING || row.channel().closed()) {
        continue;
      }
      try {
        ChannelRow now = refresh(row);
        if (!now.channel().closed() && now.channel().closesAt().isEmpty()) {
          contract.requestClose(now.terms());
        } else if (!now.channel().closed()
            && now.channel().closesAt().orElseThrow().isBefore(clock.instant())) {
          contract.close(now.terms());
          closed++;
        }
        refresh(now);
      } catch (LedgerException e) {
        // One channel's trouble does not keep the others.
        LOG.warn("the channel {} is not closed yet: {}", row.channelId(), e.getMessage());
      }
    }
    return closed;
  }

  /// All channels of this book.
  public List<PayerChannel> channels() {
    Instant now = clock.instant();
    return store.transaction(handle ->
        store.channels(handle).stream()
            .map(row ->
                new PayerChannel(
                    row.channel(),
                    row.state(),
                    row.spent(),
                    held(handle, row, now, Optional.empty()),
                    row.note()))
            .toList());
  }

  /// Asks the chain about channels that something happened to.
  public void refresh() {
    store.channels().stream().filter(ChannelRow::stale).forEach(this::refresh);
  }

  /// Takes a channel of this payer into the book that the chain has and the book has not: the store
  /// was lost. It can only be closed.
  void found(Handle handle, ChannelTerms terms) {
    if (terms.payer().equals(payer) && store.find(handle, terms.id()).isEmpty()) {
      store.add(handle, terms, PayerChannel.State.FOUND, Optional.empty(), TokenAmount.ZERO);
    }
  }

  private Optional<ChannelTerms> hold(
      Handle handle, Address payee, Hash job, TokenAmount priceMax, Instant until) {
    Instant now = clock.instant();
    TokenAmount used = TokenAmount.ZERO;
    for (Hash channel : store.channelsOf(handle, job)) {
      ChannelRow row = store.get(handle, channel);
      ChannelStore.Part part = part(handle, row, job).orElseThrow();
      used = used.plus(part.used());
      boolean enough = used.plus(part.left(now)).compareTo(priceMax) >= 0;
      if (enough && row.terms().payee().equals(payee) && isUsable(row)) {
        return Optional.of(row.terms());
      }
      // What it has paid stays written down; only the hold is made anew.
      store.putPart(
          handle,
          row.id(),
          new ChannelStore.Part(job, part.used(), part.used(), part.until(), false));
    }
    TokenAmount wanted = priceMax.compareTo(used) > 0 ? priceMax.minus(used) : TokenAmount.ZERO;
    for (ChannelRow row : usable(handle, payee)) {
      store.forgetOldParts(handle, row.id(), now);
      if (free(handle, row, now).compareTo(wanted) >= 0) {
        TokenAmount here =
            part(handle, row, job).map(ChannelStore.Part::used).orElse(TokenAmount.ZERO);
        store.putPart(
            handle, row.id(), new ChannelStore.Part(job, here.plus(wanted), here, until, false));
        return Optional.of(row.terms());
      }
    }
    return Optional.empty();
  }

  private Payment pay(
      Handle handle,
      Receipts known,
      Hash channel,
      Hash job,
      TokenAmount increment,
      List<Hash> paid) {
    ChannelRow row = store.get(handle, channel);
    if (!row.note().isEmpty() || row.state() == PayerChannel.State.LEAVING) {
      throw new ChannelException(
          "The channel %s gets no further voucher%s."
              .formatted(channel, row.note().isEmpty() ? "; it is being left" : ": " + row.note()));
    }
    ChannelStore.Part part =
        part(handle, row, job)
            .orElseThrow(() ->
                new ChannelException(
                    "The job %s holds nothing of the channel %s; reserve it first."
                        .formatted(job, channel)));
    TokenAmount used = part.used().plus(increment);
    if (used.compareTo(part.most()) > 0) {
      throw new ChannelException(
          "The job %s holds %s of the channel %s and has paid %s; another %s is not to be paid."
              .formatted(job, part.most(), channel, part.used(), increment));
    }
    TokenAmount total = row.spent().plus(increment);
    TokenAmount othersHold = held(handle, row, clock.instant(), Optional.of(job));
    if (total.plus(othersHold).compareTo(row.channel().deposit()) > 0) {
      // Only where its lease has ended, or where a reorganisation took a top-up away.
      throw new ChannelException(
          "The channel %s holds %s, of which %s are spent and %s held by others; %s more are not there any longer."
              .formatted(channel, row.channel().deposit(), row.spent(), othersHold, increment));
    }
    MerkleLog log = known.log.orElseGet(() -> readLog(handle, row.id()));
    known.log = Optional.of(log);
    long before = log.count();
    for (Hash receipt : paid) {
      store.addReceipt(handle, row.id(), log.count(), receipt);
      log.append(MerkleTree.leaf(receipt.bytes()));
    }
    Voucher voucher = new Voucher(channel, total, log.root());
    Signature signature = signer.sign(voucher.typedData(), domain);
    SignedVoucher signed = new SignedVoucher(voucher, signature);
    store.setNewest(handle, row.id(), signed);
    store.putPart(
        handle, row.id(), new ChannelStore.Part(job, part.most(), used, part.until(), false));
    return new Payment(signed, before, paid);
  }

  private MerkleLog readLog(Handle handle, long id) {
    MerkleLog log = new MerkleLog();
    store
        .receipts(handle, id, 0, Long.MAX_VALUE)
        .forEach(receipt -> log.append(MerkleTree.leaf(receipt.bytes())));
    return log;
  }

  private Optional<ChannelStore.Part> part(Handle handle, ChannelRow row, Hash job) {
    return store.parts(handle, row.id()).stream().filter(p -> p.job().equals(job)).findFirst();
  }

  private List<ChannelRow> usable(Handle handle, Address payee) {
    return store.channels(handle).stream()
        .filter(row -> row.terms().payee().equals(payee) && isUsable(row))
        .toList();
  }

  private boolean isUsable(ChannelRow row) {
    boolean pays =
        row.state() == PayerChannel.State.OPEN || row.state() == PayerChannel.State.OPENING;
    return pays
        && row.note().isEmpty()
        && row.terms().token().equals(token)
        && row.terms().signer().equals(signer.address())
        && row.channel().isOpen();
  }

  /// What jobs hold of a channel and have not paid.
  private TokenAmount held(Handle handle, ChannelRow row, Instant now, Optional<Hash> except) {
    TokenAmount held = TokenAmount.ZERO;
    for (ChannelStore.Part part : store.parts(handle, row.id())) {
      if (except.isEmpty() || !except.get().equals(part.job())) {
        held = held.plus(part.left(now));
      }
    }
    return held;
  }

  private TokenAmount free(Handle handle, ChannelRow row, Instant now) {
    TokenAmount bound = row.spent().plus(held(handle, row, now, Optional.empty()));
    TokenAmount deposit = row.channel().deposit();
    return deposit.compareTo(bound) > 0 ? deposit.minus(bound) : TokenAmount.ZERO;
  }

  /// Writes down that a channel will be opened or topped up, and nothing more: from here on a crash
  /// finds it.
  private void plan(Address payee, TokenAmount amount) {
    store.transaction(handle -> {
      List<ChannelRow> usable = usable(handle, payee);
      if (usable.isEmpty()) {
        ChannelTerms terms =
            new ChannelTerms(payer, signer.address(), payee, token, RANDOM.nextLong());
        TokenAmount deposit = max(amount, settings.depositMinimum());
        store.add(
            handle, terms, PayerChannel.State.OPENING, Optional.of(deposit), TokenAmount.ZERO);
      } else {
        ChannelRow row = usable.getFirst();
        TokenAmount missing = amount.minus(free(handle, row, clock.instant()));
        store.setFunding(
            handle,
            row.id(),
            row.fundingNumber() + 1,
            Optional.of(max(missing, settings.depositMinimum())));
      }
      return true;
    });
  }

  /// Does what was planned, or goes on with it.
  private void fund(ChannelRow row) {
    boolean opening = row.state() == PayerChannel.State.OPENING;
    TokenAmount amount = row.funding().orElseThrow();
    long block;
    try {
      block =
          opening
              ? contract.open(row.terms(), amount)
              : contract.topUp(row.terms(), row.fundingNumber(), amount);
    } catch (InsufficientFundsException
        | InsufficientGasFundsException
        | TransactionRefusedException
        | TransactionFailedException e) {
      // It had no effect and will have none; the next one is another.
      store.transaction(handle -> {
        store.setFunding(handle, row.id(), row.fundingNumber(), Optional.empty());
        if (opening) {
          store.setState(handle, row.id(), PayerChannel.State.FAILED, e.getMessage());
        }
        return true;
      });
      refreshIfPossible(row);
      throw e;
    }
    ChannelContract.Reading reading = contract.read(row.terms());
    if (reading.block() < block || reading.channel().isEmpty()) {
      throw new TransactionPendingException(
          "%s of the channel %s is in block %d, and the endpoint has come to %d only; ask again."
              .formatted(
                  opening ? "The opening" : "A top-up", row.channelId(), block, reading.block()));
    }
    store.transaction(handle -> {
      store.read(handle, row.id(), reading, row.news());
      store.setFunding(handle, row.id(), row.fundingNumber(), Optional.empty());
      if (opening) {
        store.setState(handle, row.id(), PayerChannel.State.OPEN, "");
      }
      return true;
    });
  }

  private void refreshStale(Address payee) {
    for (ChannelRow row : store.channels()) {
      if (row.stale() && row.terms().payee().equals(payee) && row.funding().isEmpty()) {
        refreshIfPossible(row);
      }
    }
  }

  /// A chain that is away does not stop what is paid out of money that is in a channel already.
  private void refreshIfPossible(ChannelRow row) {
    try {
      refresh(row);
    } catch (ChainUnavailableException e) {
      LOG.warn("the channel {} is used as it was known last: {}", row.channelId(), e.getMessage());
    }
  }

  private ChannelRow refresh(ChannelRow row) {
    ChannelContract.Reading reading = contract.read(row.terms());
    return store.transaction(handle -> {
      store.read(handle, row.id(), reading, row.news());
      ChannelRow now = store.get(handle, row.channelId());
      if (now.state() == PayerChannel.State.FAILED
          && now.channel().deposit().compareTo(TokenAmount.ZERO) > 0) {
        // A reorganisation made an opening succeed that had failed.
        store.setState(handle, row.id(), PayerChannel.State.OPEN, "");
      }
      return store.get(handle, row.channelId());
    });
  }

  private static TokenAmount max(TokenAmount one, TokenAmount other) {
    return one.compareTo(other) >= 0 ? one : other;
  }
}

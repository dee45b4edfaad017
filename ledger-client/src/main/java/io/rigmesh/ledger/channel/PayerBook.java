package io.rigmesh.ledger.channel;

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
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;

/// What a requester has put into channels and promised out of them. It opens channels and tops them
/// up when jobs need room, gives each job a part that no other job can spend, and signs vouchers,
/// each written down before anybody sees it, so that after a crash no voucher promises less than
/// one before.
///
/// Three things always hold: a channel's vouchers never decrease; none exceeds the deposit that the
/// chain showed at the confirmation depth; and a job never pays more than it holds. Safe for use by
/// several threads, which may share a channel.
public final class PayerBook {
  /// Receipts that travel with a voucher which is sent again.
  private static final int RECEIPTS_AGAIN_MAX = Payment.RECEIPTS_MAX;

  private final ChannelStore store;
  private final PartStore parts;
  private final ReceiptStore receiptStore = new ReceiptStore();
  private final PayerRoom room;
  private final PayerFunding funding;
  private final PayerLeaving leaving;
  private final ChannelLook look;
  private final AccountSigner signer;
  private final Domain domain;
  private final Address payer;
  private final boolean ownMoney;
  private final Clock clock;
  private final Map<Hash, Receipts> receipts = new ConcurrentHashMap<>();

  /// The receipts of a channel, and the lock under which its vouchers are made.
  private static final class Receipts {
    final ReentrantLock lock = new ReentrantLock();
    Optional<MerkleLog> log = Optional.empty();
    long stored;
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
    this.parts = new PartStore(store);
    this.look = new ChannelLook(store, contract);
    this.room = new PayerRoom(store, parts, signer.address(), token);
    this.funding = new PayerFunding(store, contract, look, room, payer, settings, clock);
    this.leaving = new PayerLeaving(store, contract, this::refresh, clock);
    this.signer = signer;
    this.payer = payer;
    this.ownMoney = payer.equals(contract.account());
    this.clock = clock;
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
    funding.refreshStale(payee);
    while (true) {
      Optional<ChannelTerms> held =
          store.transaction(handle -> hold(handle, payee, job, priceMax, until));
      if (held.isPresent()) {
        return held.get();
      }
      funding.room(payee, priceMax);
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
      Payment payment =
          store.transaction(handle -> pay(handle, known, channel, job, increment, paid));
      known.stored = payment.receiptsBefore() + paid.size();
      return payment;
    } catch (RuntimeException e) {
      // Where something was appended it is not stored, and the next voucher reads the list again.
      known.log = known.log.filter(log -> log.count() == known.stored);
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
                      long count = receiptStore.count(handle, row.id());
                      long before = Math.max(0, count - RECEIPTS_AGAIN_MAX);
                      return new Payment(
                          newest,
                          before,
                          receiptStore.list(handle, row.id(), before, RECEIPTS_AGAIN_MAX));
                    })));
  }

  /// What was paid for a job so far, until a week after its lease ended.
  public TokenAmount paid(Hash job) {
    return store.transaction(handle -> {
      TokenAmount sum = TokenAmount.ZERO;
      for (Hash channel : parts.channelsOf(handle, job)) {
        Optional<Part> part = parts.find(handle, store.get(handle, channel).id(), job);
        sum = sum.plus(part.map(Part::used).orElse(TokenAmount.ZERO));
      }
      return sum;
    });
  }

  /// The channel that a job was first paid by.
  public Optional<ChannelTerms> channelOf(Hash job) {
    return store.transaction(handle ->
        parts.channelsOf(handle, job).stream()
            .findFirst()
            .map(channel -> store.get(handle, channel).terms()));
  }

  /// How many channels were to pay for a job so far.
  public int channelsOf(Hash job) {
    return store.reading(handle -> parts.channelsOf(handle, job).size());
  }

  /// Asks the chain whether a channel still takes vouchers that are worth something: it is open,
  /// not being closed, and nothing speaks against paying by it.
  ///
  /// @throws ChainUnavailableException if the chain is away
  public boolean pays(Hash channel) {
    ChannelRow row = store.transaction(handle -> store.get(handle, channel));
    return room.isUsable(refresh(row));
  }

  /// Frees what a job holds and has not paid. What it has paid is known for another week.
  public void release(Hash job) {
    store.transaction(handle -> {
      for (Hash channel : parts.channelsOf(handle, job)) {
        ChannelRow row = store.get(handle, channel);
        Part part = parts.find(handle, row.id(), job).orElseThrow();
        parts.put(handle, row.id(), new Part(job, part.used(), part.used(), part.until(), false));
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
    leaving.leave(channel);
  }

  /// As [#leave], for whoever wants the rest of a channel back: not while jobs hold some of it.
  ///
  /// @throws ChannelException if it is not in this book, closed, or in use
  public void leaveIdle(Hash channel) {
    boolean _ =
        store.transaction(handle -> {
          ChannelRow row = store.get(handle, channel);
          if (row.channel().closed()) {
            throw new ChannelException("The channel %s is closed already.".formatted(channel));
          }
          TokenAmount held = room.held(handle, row, clock.instant(), Optional.empty());
          if (!held.equals(TokenAmount.ZERO) || row.funding().isPresent()) {
            throw new ChannelException(
                "The channel %s is in use: jobs hold %s of it%s. Leave it when they have ended, or cancel them."
                    .formatted(
                        channel,
                        held,
                        row.funding().isPresent() ? ", and more is on its way" : ""));
          }
          store.setState(handle, row.id(), PayerChannel.State.LEAVING, row.note());
          return true;
        });
    leaving.leave(channel);
  }

  /// Goes on with channels that are being left: asks to close where that was not done yet, and
  /// closes those whose challenge time is over. To be called now and then.
  ///
  /// @return how many were closed
  public int closeDue() {
    return leaving.closeDue();
  }

  /// All channels of this book.
  public List<PayerChannel> channels() {
    Instant now = clock.instant();
    return store.reading(handle ->
        store.channels(handle).stream()
            .map(row ->
                new PayerChannel(
                    row.channel(),
                    row.state(),
                    row.spent(),
                    room.held(handle, row, now, Optional.empty()),
                    row.note()))
            .toList());
  }

  /// Asks the chain about channels that something happened to.
  public void refresh() {
    store.worthALook().stream().filter(ChannelRow::stale).forEach(this::refresh);
  }

  /// Takes a channel of this payer into the book that the chain has and the book has not: the store
  /// was lost. It can only be closed. A session key leaves the channels alone that its payer opens
  /// by itself or by other keys.
  void found(Handle handle, ChannelTerms terms) {
    boolean ours =
        terms.payer().equals(payer) && (ownMoney || terms.signer().equals(signer.address()));
    if (ours && store.find(handle, terms.id()).isEmpty()) {
      store.add(handle, terms, PayerChannel.State.FOUND, Optional.empty(), TokenAmount.ZERO);
    }
  }

  private Optional<ChannelTerms> hold(
      Handle handle, Address payee, Hash job, TokenAmount priceMax, Instant until) {
    Instant now = clock.instant();
    TokenAmount used = TokenAmount.ZERO;
    for (Hash channel : parts.channelsOf(handle, job)) {
      ChannelRow row = store.get(handle, channel);
      Part part = parts.find(handle, row.id(), job).orElseThrow();
      used = used.plus(part.used());
      boolean enough = used.plus(part.left(now)).compareTo(priceMax) >= 0;
      if (enough && row.terms().payee().equals(payee) && room.isUsable(row)) {
        return Optional.of(row.terms());
      }
      // What it has paid stays written down; only the hold is made anew.
      parts.put(handle, row.id(), new Part(job, part.used(), part.used(), part.until(), false));
    }
    TokenAmount wanted = priceMax.compareTo(used) > 0 ? priceMax.minus(used) : TokenAmount.ZERO;
    for (ChannelRow row : room.usable(handle, payee)) {
      parts.forgetOld(handle, row.id(), now);
      if (room.free(handle, row, now).compareTo(wanted) >= 0) {
        TokenAmount here =
            parts.find(handle, row.id(), job).map(Part::used).orElse(TokenAmount.ZERO);
        parts.put(handle, row.id(), new Part(job, here.plus(wanted), here, until, false));
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
    if (row.isBeyondItsVouchers()) {
      throw new ChannelException(
          "Of the channel %s the chain says that %s were paid out, and this book knows vouchers over %s; it gets no further one. Leave it, and look whether the endpoints of the chain are right."
              .formatted(channel, row.channel().redeemed(), row.promised()));
    }
    Part part =
        parts
            .find(handle, row.id(), job)
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
    TokenAmount othersHold = room.held(handle, row, clock.instant(), Optional.of(job));
    if (total.plus(othersHold).compareTo(row.channel().deposit()) > 0) {
      // Only where its lease has ended, or where a reorganisation took a top-up away.
      throw new ChannelException(
          "The channel %s holds %s, of which %s are spent and %s held by others; %s more are not there any longer."
              .formatted(channel, row.channel().deposit(), row.spent(), othersHold, increment));
    }
    MerkleLog log = known.log.orElseGet(() -> readLog(handle, row.id()));
    known.log = Optional.of(log);
    long before = log.count();
    known.stored = before;
    for (Hash receipt : paid) {
      receiptStore.add(handle, row.id(), log.count(), receipt);
      log.append(MerkleTree.leaf(receipt.bytes()));
    }
    Voucher voucher = new Voucher(channel, total, log.root());
    Signature signature = signer.sign(voucher.typedData(), domain);
    SignedVoucher signed = new SignedVoucher(voucher, signature);
    store.setNewest(handle, row.id(), signed, false);
    parts.put(handle, row.id(), new Part(job, part.most(), used, part.until(), false));
    return new Payment(signed, before, paid);
  }

  private MerkleLog readLog(Handle handle, long id) {
    MerkleLog log = new MerkleLog();
    receiptStore
        .list(handle, id, 0, Long.MAX_VALUE)
        .forEach(receipt -> log.append(MerkleTree.leaf(receipt.bytes())));
    return log;
  }

  private ChannelRow refresh(ChannelRow row) {
    ChannelRow now = look.refresh(row);
    funding.noteLateOpening(now);
    return now;
  }
}

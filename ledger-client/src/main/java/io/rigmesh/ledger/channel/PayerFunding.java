package io.rigmesh.ledger.channel;

import io.rigmesh.ledger.InsufficientGasFundsException;
import io.rigmesh.ledger.TransactionFailedException;
import io.rigmesh.ledger.TransactionPendingException;
import io.rigmesh.ledger.TransactionRefusedException;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.TokenAmount;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;

/// Makes room in a payer's channels: opens one to a payee or tops one up. What will be done is
/// written down first, so that a crash finds it. Safe for use by several threads.
final class PayerFunding {
  private static final SecureRandom RANDOM = new SecureRandom();

  private final ChannelStore store;
  private final ChannelContract contract;
  private final ChannelLook look;
  private final PayerRoom room;
  private final Address payer;
  private final PayerSettings settings;
  private final Clock clock;

  /// One at a time for each payee, so that two jobs do not both open a channel.
  private final Map<Address, ReentrantLock> locks = new ConcurrentHashMap<>();

  PayerFunding(
      ChannelStore store,
      ChannelContract contract,
      ChannelLook look,
      PayerRoom room,
      Address payer,
      PayerSettings settings,
      Clock clock) {
    this.store = store;
    this.contract = contract;
    this.look = look;
    this.room = room;
    this.payer = payer;
    this.settings = settings;
    this.clock = clock;
  }

  /// Finds a channel to a payee with so much free room, or makes it.
  ChannelTerms room(Address payee, TokenAmount amount) {
    ReentrantLock lock = locks.computeIfAbsent(payee, key -> new ReentrantLock());
    lock.lock();
    try {
      refreshStale(payee);
      while (true) {
        Optional<ChannelRow> unfinished =
            store.transaction(handle ->
                room.usable(handle, payee).stream()
                    .filter(row -> row.funding().isPresent())
                    .findFirst());
        if (unfinished.isPresent()) {
          fund(unfinished.get());
          continue;
        }
        Optional<ChannelRow> roomy =
            store.transaction(handle ->
                room.usable(handle, payee).stream()
                    .filter(row -> room.free(handle, row, clock.instant()).compareTo(amount) >= 0)
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

  void refreshStale(Address payee) {
    for (ChannelRow row : store.reading(handle -> store.to(handle, payee))) {
      if (row.stale() && row.funding().isEmpty()) {
        noteLateOpening(look.refreshIfPossible(row));
      }
    }
  }

  /// A reorganisation may make an opening succeed that had failed.
  void noteLateOpening(ChannelRow row) {
    if (row.state() == PayerChannel.State.FAILED
        && row.channel().deposit().compareTo(TokenAmount.ZERO) > 0) {
      store.transaction(handle -> {
        store.setState(handle, row.id(), PayerChannel.State.OPEN, "");
        return true;
      });
    }
  }

  /// Writes down that a channel will be opened or topped up, and nothing more: from here on a crash
  /// finds it.
  private void plan(Address payee, TokenAmount amount) {
    TokenAmount free =
        store.transaction(handle ->
            room.usable(handle, payee).stream()
                .findFirst()
                .map(row -> room.free(handle, row, clock.instant()))
                .orElse(TokenAmount.ZERO));
    if (free.compareTo(amount) >= 0) {
      // Another job has just let go of enough.
      return;
    }
    TokenAmount moved = enough(amount.minus(free));
    store.transaction(handle -> {
      List<ChannelRow> usable = room.usable(handle, payee);
      if (usable.isEmpty()) {
        ChannelTerms terms =
            new ChannelTerms(payer, room.signer(), payee, room.token(), RANDOM.nextLong());
        store.add(handle, terms, PayerChannel.State.OPENING, Optional.of(moved), TokenAmount.ZERO);
      } else {
        ChannelRow row = usable.getFirst();
        store.setFunding(handle, row.id(), row.fundingNumber() + 1, Optional.of(moved));
      }
      return true;
    });
  }

  /// What is missing, or the least that is worth a transaction where there is so much: who has
  /// enough for a job is not refused because it has no more.
  private TokenAmount enough(TokenAmount missing) {
    TokenAmount least = settings.depositMinimum();
    if (missing.compareTo(least) >= 0) {
      return missing;
    }
    TokenAmount available = contract.available(payer, room.token());
    TokenAmount most = available.compareTo(least) < 0 ? available : least;
    return most.compareTo(missing) > 0 ? most : missing;
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
      noteLateOpening(look.refreshIfPossible(row));
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
}

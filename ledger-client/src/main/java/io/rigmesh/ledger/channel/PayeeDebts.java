package io.rigmesh.ledger.channel;

import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.TokenAmount;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jdbi.v3.core.Handle;

/// What jobs owe a payee: by channel, all of its jobs together. Safe for use by several threads.
final class PayeeDebts {
  private final ChannelStore store;
  private final PartStore parts;

  /// What running jobs owe now, which is more than what is stored: it is stored with the next
  /// voucher, and a crash forgets only what nobody has paid for.
  private final Map<Hash, TokenAmount> owed = new ConcurrentHashMap<>();

  PayeeDebts(ChannelStore store, PartStore parts) {
    this.store = store;
    this.parts = parts;
  }

  /// Sets what an admitted job owes in all so far.
  ///
  /// @throws ChannelException if the job is not admitted
  void owe(Hash job, TokenAmount priceSoFar) {
    if (owed.replace(job, priceSoFar) == null) {
      if (!isAdmitted(job)) {
        throw new ChannelException("The job " + job + " is paid by no channel here.");
      }
      owed.put(job, priceSoFar);
    }
  }

  /// What a job owes in all so far, also after a restart, as far as that was written down.
  TokenAmount owed(Hash job) {
    TokenAmount said = owed.get(job);
    return said != null
        ? said
        : store.transaction(handle -> {
          TokenAmount sum = TokenAmount.ZERO;
          for (Hash channel : parts.channelsOf(handle, job)) {
            Optional<Part> part = parts.find(handle, store.get(handle, channel).id(), job);
            sum = sum.plus(part.map(Part::used).orElse(TokenAmount.ZERO));
          }
          return sum;
        });
  }

  /// A job begins with what it owes already.
  void begin(Hash job, TokenAmount owes) {
    owed.putIfAbsent(job, owes);
  }

  /// A job's debt is fixed and stored.
  void forget(Hash job) {
    owed.remove(job);
  }

  /// Writes down what a channel's running jobs owe.
  void store(Handle handle, ChannelRow row) {
    for (Part part : parts.running(handle, row.id())) {
      if (!owes(part).equals(part.used())) {
        parts.put(
            handle, row.id(), new Part(part.job(), part.most(), owes(part), part.until(), false));
      }
    }
  }

  boolean isAdmitted(Hash job) {
    return store.transaction(handle -> {
      for (Hash channel : parts.channelsOf(handle, job)) {
        Optional<Part> part = parts.find(handle, store.get(handle, channel).id(), job);
        if (part.isPresent() && !part.get().ended()) {
          return true;
        }
      }
      return false;
    });
  }

  /// What a job owes: what was said last, or what is stored since before a restart.
  TokenAmount owes(Part part) {
    return owed.getOrDefault(part.job(), part.used());
  }

  TokenAmount left(Part part, Instant now) {
    TokenAmount owes = owes(part);
    return !part.ended() && now.isBefore(part.until()) && part.most().compareTo(owes) > 0
        ? part.most().minus(owes)
        : TokenAmount.ZERO;
  }

  TokenAmount owed(Handle handle, ChannelRow row) {
    TokenAmount sum = row.owedEnded();
    for (Part part : parts.running(handle, row.id())) {
      sum = sum.plus(owes(part));
    }
    return sum;
  }

  TokenAmount mayCost(Handle handle, ChannelRow row, Instant now) {
    TokenAmount sum = TokenAmount.ZERO;
    for (Part part : parts.running(handle, row.id())) {
      sum = sum.plus(left(part, now));
    }
    return sum;
  }

  TokenAmount unpaid(Handle handle, ChannelRow row) {
    TokenAmount sum = owed(handle, row);
    return sum.compareTo(row.spent()) > 0 ? sum.minus(row.spent()) : TokenAmount.ZERO;
  }
}

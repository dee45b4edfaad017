package io.rigmesh.ledger.channel;

import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.MerkleLog;
import io.rigmesh.protocol.MerkleTree;
import io.rigmesh.protocol.Voucher;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jdbi.v3.core.Handle;

/// The receipts that a payee was told its channels have paid in full, against which the vouchers'
/// roots are checked. Safe for use by several threads.
final class PayeeReceipts {
  /// Vouchers of several streams may come in any order; this far behind a gap receipts are kept
  /// until it is filled.
  private static final int BEHIND_A_GAP_MAX = 256;

  /// Where the book was lost, its payer tells receipts of jobs that are not known here.
  private static final int UNKNOWN_JOBS_MAX = 128;

  private final ReceiptStore store = new ReceiptStore();
  private final Map<Hash, Known> known = new ConcurrentHashMap<>();

  /// The receipts of a channel as far as all of them are known, and the lock under which its
  /// vouchers are taken.
  private static final class Known {
    final ReentrantLock lock = new ReentrantLock();
    Optional<MerkleLog> log = Optional.empty();
  }

  /// Does something with a channel's receipts that nobody else does at the same time. Where it
  /// fails, what it appended is not stored, and the list is read again by the next.
  <T> T alone(Hash channel, Supplier<T> work) {
    Known of = of(channel);
    of.lock.lock();
    try {
      return work.get();
    } catch (RuntimeException e) {
      of.log = Optional.empty();
      throw e;
    } finally {
      of.lock.unlock();
    }
  }

  private Known of(Hash channel) {
    return known.computeIfAbsent(channel, key -> new Known());
  }

  /// Stores the receipts that a payment tells, and checks the voucher's root where all of them are
  /// known. Returns what contradicts, in which case nothing is stored.
  Optional<String> note(Handle handle, ChannelRow row, Payment payment) {
    Known known = of(row.channelId());
    Voucher voucher = payment.voucher().voucher();
    long position = payment.receiptsBefore();
    for (Hash receipt : payment.receipts()) {
      Optional<Hash> stored = store.find(handle, row.id(), position);
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
    if (log.count() > row.jobs() + UNKNOWN_JOBS_MAX) {
      return Optional.of(
          "The voucher names %d receipts of the channel %s, which was to pay for %d jobs."
              .formatted(log.count(), row.channelId(), row.jobs()));
    }
    position = payment.receiptsBefore();
    for (Hash receipt : payment.receipts()) {
      if (position < log.count() + BEHIND_A_GAP_MAX) {
        store.add(handle, row.id(), position, receipt);
      }
      position++;
    }
    extend(handle, row, log);
    known.log = Optional.of(log);
    return Optional.empty();
  }

  /// Appends receipts that are stored, up to the first that is not known.
  private void extend(Handle handle, ChannelRow row, MerkleLog log) {
    store
        .list(handle, row.id(), log.count(), Long.MAX_VALUE - log.count())
        .forEach(receipt -> log.append(MerkleTree.leaf(receipt.bytes())));
  }
}

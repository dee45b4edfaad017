package io.rigmesh.ledger.channel;

import io.rigmesh.protocol.Hash;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jdbi.v3.core.Handle;

/// The receipts that channels have paid in full, each at its position in the order of payment.
final class ReceiptStore {
  long count(Handle handle, long id) {
    return handle
        .createQuery("SELECT count(*) FROM ledger_channel_receipt WHERE channel_id = :id")
        .bind("id", id)
        .mapTo(Long.class)
        .one();
  }

  /// Receipts from a position on, up to the first that is not known.
  List<Hash> list(Handle handle, long id, long from, long countMax) {
    List<Hash> receipts = new ArrayList<>();
    handle
        .createQuery(
            "SELECT position, receipt FROM ledger_channel_receipt"
                + " WHERE channel_id = :id AND position >= :from ORDER BY position LIMIT :count")
        .bind("id", id)
        .bind("from", from)
        .bind("count", countMax)
        .map((row, context) -> {
          if (row.getLong("position") == from + receipts.size()) {
            receipts.add(Hash.fromHex(row.getString("receipt")));
          }
          return true;
        })
        .list();
    return receipts;
  }

  Optional<Hash> find(Handle handle, long id, long position) {
    return handle
        .createQuery(
            "SELECT receipt FROM ledger_channel_receipt WHERE channel_id = :id AND position = :position")
        .bind("id", id)
        .bind("position", position)
        .map((row, context) -> Hash.fromHex(row.getString("receipt")))
        .findOne();
  }

  void add(Handle handle, long id, long position, Hash receipt) {
    handle
        .createUpdate(
            "INSERT INTO ledger_channel_receipt VALUES (:id, :position, :receipt) ON CONFLICT DO NOTHING")
        .bind("id", id)
        .bind("position", position)
        .bind("receipt", receipt.hex())
        .execute();
  }
}

package io.rigmesh.node.wallet;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rigmesh.ledger.chain.Inclusion;
import io.rigmesh.ledger.wallet.LockedItem;
import io.rigmesh.ledger.wallet.WalletEntry;

/// The JSON of a wallet's history, of what is locked and of moves, as REST carries it. Amounts are
/// smallest units.
public final class WalletJson {
  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

  private WalletJson() {}

  /// `{"account", "entries": [{"at", "block", "kind", "counterparty", "amount", "wallet",
  /// "channels", "locked", "transaction", "channel"?}], "next"?}`.
  public static ObjectNode write(Purse.History history) {
    ObjectNode node = NODES.objectNode().put("account", history.account().hex());
    ArrayNode entries = node.putArray("entries");
    history.entries().forEach(entry -> entries.add(write(entry)));
    history.next().ifPresent(next -> node.put("next", next.block() + "-" + next.index()));
    return node;
  }

  private static ObjectNode write(WalletEntry entry) {
    ObjectNode node =
        NODES
            .objectNode()
            .put("at", entry.place().at().toString())
            .put("block", Long.toString(entry.place().blockNumber()))
            .put("kind", entry.kind().id())
            .put("counterparty", entry.counterparty().hex())
            .put("amount", entry.amount().toString())
            .put("wallet", entry.wallet().toString())
            .put("channels", entry.channels().toString())
            .put("locked", entry.locked().toString())
            .put("transaction", entry.place().transaction().hex());
    entry.channel().ifPresent(channel -> node.put("channel", channel.hex()));
    return node;
  }

  /// `{"account", "free", "items": [{"kind", "incoming", "id"?, "counterparty"?, "amount",
  /// "promised"?, "until"?, "note"}]}`.
  public static ObjectNode write(Purse.Locked locked) {
    ObjectNode node =
        NODES
            .objectNode()
            .put("account", locked.account().hex())
            .put("free", locked.free().toString());
    ArrayNode items = node.putArray("items");
    locked.items().forEach(item -> items.add(write(item)));
    return node;
  }

  private static ObjectNode write(LockedItem item) {
    ObjectNode node =
        NODES.objectNode().put("kind", item.kind().id()).put("incoming", item.kind().isIncoming());
    item.id().ifPresent(id -> node.put("id", id.hex()));
    item.counterparty().ifPresent(other -> node.put("counterparty", other.hex()));
    node.put("amount", item.amount().toString());
    item.promised().ifPresent(promised -> node.put("promised", promised.toString()));
    item.until().ifPresent(until -> node.put("until", until.toString()));
    return node.put("note", item.note());
  }

  /// A move that is confirmed: `{"id", "status": "confirmed", "transaction", "block", "gasUsed"}`.
  public static ObjectNode write(String id, Inclusion inclusion) {
    return NODES
        .objectNode()
        .put("id", id)
        .put("status", "confirmed")
        .put("transaction", inclusion.transaction().hex())
        .put("block", Long.toString(inclusion.blockNumber()))
        .put("gasUsed", Long.toString(inclusion.gasUsed()));
  }

  /// A move that is on its way: `{"id", "status": "pending", "note"}`.
  public static ObjectNode pending(String id, String note) {
    return NODES.objectNode().put("id", id).put("status", "pending").put("note", note);
  }
}

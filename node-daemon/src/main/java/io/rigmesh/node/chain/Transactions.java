package io.rigmesh.node.chain;

import io.rigmesh.ledger.chain.Inclusion;
import io.rigmesh.ledger.intent.Intent;
import io.rigmesh.ledger.intent.IntentState;
import io.rigmesh.ledger.intent.IntentStore;
import io.rigmesh.node.jobs.TransactionView;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.MalformedException;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;

/// Stored transactions as people see them.
public final class Transactions {
  private static final List<String> VERBS =
      List.of(
          "fund",
          "accept",
          "prove",
          "settle",
          "release",
          "dispute",
          "expire-dispute",
          "refund",
          "decline");

  private final IntentStore intents;

  /// The transactions of a store.
  public Transactions(IntentStore intents) {
    this.intents = intents;
  }

  /// Those of one job, oldest first.
  public List<TransactionView> ofJob(Address requester, Hash job) {
    return VERBS.stream()
        .map(verb -> verb + ":" + requester.hex() + ":" + job.hex())
        // Those of a milestone behind the first end with its number.
        .flatMap(key -> Stream.concat(intents.find(key).stream(), intents.list(key + ":").stream()))
        .sorted(Comparator.comparingLong(Intent::id))
        .map(this::view)
        .toList();
  }

  /// The newest, newest first.
  public List<TransactionView> newest(int limit) {
    return intents.newest(limit).stream().map(this::view).toList();
  }

  /// The totals over the whole store.
  public IntentStore.Totals totals() {
    return intents.totals();
  }

  private TransactionView view(Intent intent) {
    String[] parts = intent.key().split(":", -1);
    return new TransactionView(
        parts[0],
        status(intent.state()),
        parts.length >= 3 && parts.length <= 5 ? job(parts[2]) : Optional.empty(),
        hash(intent),
        inclusion(intent.state())
            .map(i -> OptionalLong.of(i.gasUsed()))
            .orElse(OptionalLong.empty()),
        intent.createdAt());
  }

  private static Optional<Hash> job(String text) {
    try {
      return Optional.of(Hash.fromHex(text));
    } catch (MalformedException e) {
      // A key of another kind.
      return Optional.empty();
    }
  }

  private Optional<Hash> hash(Intent intent) {
    return inclusion(intent.state())
        .map(Inclusion::transaction)
        .or(() ->
            intents.attempts(intent.id()).stream().findFirst().map(attempt -> attempt.hash()));
  }

  private static Optional<Inclusion> inclusion(IntentState state) {
    return switch (state) {
      case IntentState.Mined m -> Optional.of(m.inclusion());
      case IntentState.Confirmed c -> Optional.of(c.inclusion());
      case IntentState.Reverted r -> Optional.of(r.inclusion());
      case IntentState.Planned _,
          IntentState.Refused _,
          IntentState.Signed _,
          IntentState.Displaced _ ->
          Optional.empty();
    };
  }

  private static String status(IntentState state) {
    return switch (state) {
      case IntentState.Planned _ -> "planned";
      case IntentState.Refused _ -> "refused";
      case IntentState.Signed _ -> "sent";
      case IntentState.Mined _ -> "mined";
      case IntentState.Confirmed _ -> "confirmed";
      case IntentState.Reverted _ -> "reverted";
      case IntentState.Displaced _ -> "displaced";
    };
  }
}

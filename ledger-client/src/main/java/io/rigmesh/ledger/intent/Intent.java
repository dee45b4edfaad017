package io.rigmesh.ledger.intent;

import io.rigmesh.ledger.chain.Call;
import io.rigmesh.ledger.chain.Inclusion;
import java.time.Instant;
import java.util.Optional;

/// Something that the node decided to do on the chain, as it is stored.
///
/// @param id the store's number, ascending in the order of the decisions
/// @param key the business key, once for each account and chain: `fund:<requester>:<jobId>`
/// @param purpose the same in words, with the amounts: it tells a repetition from a contradiction
/// @param call what the transaction does
/// @param state where it stands
/// @param createdAt when it was decided
public record Intent(
    long id, String key, String purpose, Call call, IntentState state, Instant createdAt) {
  /// The block that holds it and what it cost, with or without effect; empty where it is in none.
  public Optional<Inclusion> inclusion() {
    return switch (state) {
      case IntentState.Mined mined -> Optional.of(mined.inclusion());
      case IntentState.Confirmed confirmed -> Optional.of(confirmed.inclusion());
      case IntentState.Reverted reverted -> Optional.of(reverted.inclusion());
      case IntentState.Planned planned -> Optional.empty();
      case IntentState.Signed signed -> Optional.empty();
      case IntentState.Refused refused -> Optional.empty();
      case IntentState.Displaced displaced -> Optional.empty();
    };
  }
}

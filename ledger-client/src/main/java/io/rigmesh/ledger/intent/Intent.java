package io.rigmesh.ledger.intent;

import io.rigmesh.ledger.chain.Call;
import java.time.Instant;

/// Something that the node decided to do on the chain, as it is stored.
///
/// @param id the store's number, ascending in the order of the decisions
/// @param key the business key, once for each account and chain: `fund:<requester>:<jobId>`
/// @param purpose the same in words, with the amounts: it tells a repetition from a contradiction
/// @param call what the transaction does
/// @param state where it stands
/// @param createdAt when it was decided
public record Intent(
    long id, String key, String purpose, Call call, IntentState state, Instant createdAt) {}

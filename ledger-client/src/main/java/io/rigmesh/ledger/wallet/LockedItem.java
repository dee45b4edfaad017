package io.rigmesh.ledger.wallet;

import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.TokenAmount;
import java.time.Instant;
import java.util.Optional;

/// Tokens that an account has somewhere else than in its hand, or that wait for it there.
///
/// @param kind where they are
/// @param id the channel or the job; empty for a stake
/// @param counterparty the account on the other side; empty for a stake
/// @param amount how much, in smallest units
/// @param promised what of it the newest voucher that is known here gives away; for a channel alone
/// @param until when that ends by itself; empty where it ends only when somebody asks
/// @param note what ends it, as half a sentence
public record LockedItem(
    Kind kind,
    Optional<Hash> id,
    Optional<Address> counterparty,
    TokenAmount amount,
    Optional<TokenAmount> promised,
    Optional<Instant> until,
    String note) {
  /// Where tokens are.
  public enum Kind {
    /// In a channel that this account pays by.
    CHANNEL("channel", false),
    /// In the escrow of a job of this account, not proven yet.
    ESCROW("escrow", false),
    /// In the escrow of a job of this account, asked for by a proof.
    MILESTONE("milestone", false),
    /// This account's stake.
    STAKE("stake", false),
    /// Stake that was asked back.
    UNBONDING("unbonding", false),
    /// A payment to this account that its token refused, which waits in the escrow.
    DEFERRED("deferred", false),
    /// In a channel that this account is paid by, promised by a voucher and not redeemed.
    REDEEMABLE("redeemable", true),
    /// In the escrow of a job that this account did, asked for by its proof.
    DUE("due", true);

    private final String id;
    private final boolean incoming;

    Kind(String id, boolean incoming) {
      this.id = id;
      this.incoming = incoming;
    }

    /// The word for it in files and tables.
    public String id() {
      return id;
    }

    /// True for what is not this account's yet.
    public boolean isIncoming() {
      return incoming;
    }
  }
}

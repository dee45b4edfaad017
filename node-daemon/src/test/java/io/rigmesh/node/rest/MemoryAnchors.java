package io.rigmesh.node.rest;

import io.rigmesh.ledger.ChainUnavailableException;
import io.rigmesh.ledger.TransactionPendingException;
import io.rigmesh.ledger.TransactionRefusedException;
import io.rigmesh.ledger.chain.Inclusion;
import io.rigmesh.ledger.receipt.ReceiptProof;
import io.rigmesh.node.receipts.AnchorException;
import io.rigmesh.node.receipts.AnchoredReceipt;
import io.rigmesh.node.receipts.Anchors;
import io.rigmesh.node.store.AnchorRow;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Digests;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Meter;
import io.rigmesh.protocol.Profile;
import io.rigmesh.protocol.Receipt;
import io.rigmesh.protocol.SignedReceipt;
import io.rigmesh.protocol.TokenAmount;
import java.math.BigInteger;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// Receipts whose anchoring ends as its ids say, of jobs that are anchored but for one.
record MemoryAnchors(Address account, boolean chainAway) implements Anchors {
  /// The one whose receipt is under no root.
  static final Hash UNANCHORED = Digests.sha256(new byte[] {11});

  private static final Hash HASH = Digests.sha256(new byte[] {9});
  private static final Instant AT = Instant.ofEpochSecond(1_700_000_000);

  private static Anchor anchor(boolean done) {
    AnchorRow row = new AnchorRow(1, "a", HASH, 3, AT, done ? Optional.of(AT) : Optional.empty());
    Inclusion inclusion =
        new Inclusion(HASH, 12, HASH, true, 50_000, BigInteger.ONE, Optional.empty());
    return new Anchor(row, done ? Optional.of(inclusion) : Optional.empty());
  }

  @Override
  public Anchored anchor(String id) {
    requireChain();
    return switch (id) {
      case "slow" -> throw new TransactionPendingException("it is not mined yet");
      case "refused" -> throw new TransactionRefusedException("it would revert");
      case "nothing" ->
          throw new AnchorException(AnchorException.Reason.NOTHING, "There is nothing to anchor.");
      default -> new Anchored(anchor(true), 4);
    };
  }

  @Override
  public AnchoredReceipt prove(Hash job) {
    requireChain();
    if (job.equals(UNANCHORED)) {
      throw new AnchorException(AnchorException.Reason.NOT_ANCHORED, "It is under no root yet.");
    }
    AccountKey provider = AccountKey.generate();
    SignedReceipt receipt =
        new Receipt(
                job,
                provider.address(),
                HASH,
                new Meter(1, 2, 3),
                HASH,
                HASH,
                HASH,
                "cpu",
                Profile.F32_V1,
                1,
                2,
                TokenAmount.of(4))
            .sign(provider, MemoryJobs.DOMAIN);
    return new AnchoredReceipt(
        31_337,
        account,
        account,
        AT,
        Optional.of(new AnchoredReceipt.Where(HASH, 12)),
        MemoryJobs.DOMAIN,
        receipt,
        ReceiptProof.of(
            List.of(HASH, receipt.receipt().hash(), UNANCHORED), receipt.receipt().hash()));
  }

  @Override
  public Listing list() {
    return new Listing(31_337, account, account, 2, List.of(anchor(false), anchor(true)));
  }

  private void requireChain() {
    if (chainAway) {
      throw new ChainUnavailableException("no endpoint answers", new IllegalStateException());
    }
  }
}

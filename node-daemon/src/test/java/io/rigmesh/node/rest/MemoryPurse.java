package io.rigmesh.node.rest;

import io.rigmesh.ledger.ChainUnavailableException;
import io.rigmesh.ledger.IntentConflictException;
import io.rigmesh.ledger.TransactionPendingException;
import io.rigmesh.ledger.TransactionRefusedException;
import io.rigmesh.ledger.chain.Inclusion;
import io.rigmesh.ledger.chain.Place;
import io.rigmesh.ledger.wallet.LockedItem;
import io.rigmesh.ledger.wallet.WalletEntry;
import io.rigmesh.ledger.wallet.WalletKind;
import io.rigmesh.node.wallet.Purse;
import io.rigmesh.node.wallet.WalletMove;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Digests;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.TokenAmount;
import java.math.BigInteger;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// A wallet whose moves end as their ids say.
record MemoryPurse(Address account, boolean chainAway) implements Purse {
  private static final Hash HASH = Digests.sha256(new byte[] {9});
  private static final Instant AT = Instant.ofEpochSecond(1_700_000_000);

  @Override
  public History history(Optional<Point> before, int limit) {
    requireChain();
    WalletEntry entry =
        new WalletEntry(
            new Place(before.map(Point::block).orElse(99L), HASH, HASH, 1, AT),
            WalletKind.CHANNEL_OPENED,
            account,
            Optional.of(HASH),
            TokenAmount.of(1),
            TokenAmount.of(2),
            TokenAmount.of(3),
            TokenAmount.of(limit));
    return new History(account, List.of(entry), Optional.of(new Point(98, 1)));
  }

  @Override
  public Locked locked() {
    requireChain();
    return new Locked(
        account,
        TokenAmount.of(5),
        List.of(
            new LockedItem(
                LockedItem.Kind.CHANNEL,
                Optional.of(HASH),
                Optional.of(account),
                TokenAmount.of(7),
                Optional.of(TokenAmount.of(6)),
                Optional.of(AT),
                "when it is closed"),
            new LockedItem(
                LockedItem.Kind.STAKE,
                Optional.empty(),
                Optional.empty(),
                TokenAmount.of(8),
                Optional.empty(),
                Optional.empty(),
                "when it is asked back")));
  }

  @Override
  public Inclusion move(String id, WalletMove move) {
    requireChain();
    return switch (id) {
      case "slow" -> throw new TransactionPendingException("it is not mined yet");
      case "refused" -> throw new TransactionRefusedException("the balance is too low");
      case "taken" -> throw new IntentConflictException(id, "deposit 1", "deposit 2");
      default -> new Inclusion(HASH, 12, HASH, true, 50_000, BigInteger.ONE, Optional.empty());
    };
  }

  private void requireChain() {
    if (chainAway) {
      throw new ChainUnavailableException("no endpoint answers", new IllegalStateException());
    }
  }
}

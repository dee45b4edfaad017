package io.rigmesh.ledger;

import io.rigmesh.protocol.Address;
import java.math.BigInteger;

/// The account cannot pay for the gas (and the value) of a transaction. Nothing was signed or sent.
public final class InsufficientGasFundsException extends LedgerException {
  private static final long serialVersionUID = 1L;

  /// An account that lacks `missingWei` of the `neededWei` that a transaction may cost at most.
  public InsufficientGasFundsException(
      Address account, BigInteger neededWei, BigInteger balanceWei, String purpose) {
    super(
        "The account %s has %s but \"%s\" may cost up to %s; send it at least %s for gas and try again."
            .formatted(
                account,
                Ether.text(balanceWei),
                purpose,
                Ether.text(neededWei),
                Ether.text(neededWei.subtract(balanceWei))));
  }
}

package io.rigmesh.node.pay;

import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Refusal;
import io.rigmesh.protocol.RefusalCode;
import java.util.Optional;

/// The chain on which a node trades, and the contracts there that it signs for.
///
/// @param chainId the chain's EIP-155 id
/// @param escrow JobEscrow
/// @param channels PaymentChannels
public record Market(long chainId, Address escrow, Address channels) {
  /// Why a job of a requester who means another market is not taken; empty if it is the same.
  public Optional<Refusal> refusal(Market theirs) {
    if (theirs.equals(this)) {
      return Optional.empty();
    }
    String sentence =
        theirs.chainId != chainId
            ? "this provider works on the chain "
                + chainId
                + ", and its requester on "
                + theirs.chainId
                + "; set chain.chain-id and chain.deployment-file for the same market"
            : "on the chain "
                + chainId
                + " this provider works with JobEscrow "
                + escrow
                + " and PaymentChannels "
                + channels
                + ", and its requester with "
                + theirs.escrow
                + " and "
                + theirs.channels
                + "; compare chain.deployment-file on both sides";
    return Optional.of(new Refusal(RefusalCode.WRONG_CHAIN, sentence));
  }
}

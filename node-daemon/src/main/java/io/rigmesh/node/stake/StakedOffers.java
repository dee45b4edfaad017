package io.rigmesh.node.stake;

import io.rigmesh.node.network.offers.LiveOffers;
import io.rigmesh.protocol.Offer;
import io.rigmesh.protocol.TokenAmount;
import java.util.List;
import java.util.Optional;

/// The live offers of providers that have so much at stake.
///
/// @param all the offers
/// @param stakes what stands behind them
/// @param minimum the least that must; zero for all offers
public record StakedOffers(LiveOffers all, Stakes stakes, TokenAmount minimum)
    implements LiveOffers {
  @Override
  public List<Offer> live() {
    return minimum.equals(TokenAmount.ZERO)
        ? all.live()
        : all.live().stream().filter(this::isStaked).toList();
  }

  @Override
  public Optional<String> leftOut() {
    if (minimum.equals(TokenAmount.ZERO)) {
      return Optional.empty();
    }
    long left = all.live().stream().filter(offer -> !isStaked(offer)).count();
    return left == 0
        ? Optional.empty()
        : Optional.of(
            "%d offers are left out, since less than requester.stake-minimum = %s is known to stand behind them"
                .formatted(left, minimum));
  }

  private boolean isStaked(Offer offer) {
    return stakes.of(offer).map(stake -> stake.compareTo(minimum) >= 0).orElse(false);
  }
}

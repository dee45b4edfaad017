package io.rigmesh.node.provider;

import io.rigmesh.node.config.ProviderConfig;
import io.rigmesh.protocol.JobKind;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.scheduler.pricing.Pricing;
import java.util.Map;

/// The prices of the settings.
public final class PriceList {
  private PriceList() {}

  /// Reads them. A minimum of nothing counts as 1, the least that an escrow can hold.
  public static Pricing of(ProviderConfig config) {
    TokenAmount one = TokenAmount.of(1);
    return new Pricing(
        Map.of(
            JobKind.TRAIN,
            new Pricing.Rate(config.trainPricePerMillionTokens(), TokenAmount.ZERO),
            JobKind.GENERATE,
            new Pricing.Rate(
                config.generatePricePerMillionTokensIn(),
                config.generatePricePerMillionTokensOut()),
            JobKind.EMBED,
            new Pricing.Rate(config.embedPricePerMillionTokens(), TokenAmount.ZERO)),
        config.priceMinimum().compareTo(one) < 0 ? one : config.priceMinimum());
  }
}

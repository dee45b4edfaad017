package io.rigmesh.node.chain;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.ledger.intent.SenderSettings;
import io.rigmesh.node.config.ChainConfig;
import io.rigmesh.node.config.ConfigLoader;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/// How the daemon, and the wallet's commands without one, send by the settings.
class SendingTest {
  private static ChainConfig confirmations(int blocks) {
    return ConfigLoader.load(
            Path.of("unused"),
            Optional.empty(),
            Map.of(),
            Map.of("chain.confirmations", Integer.toString(blocks)))
        .config()
        .chain();
  }

  @Test
  void aTransactionIsDoneWithAsManyBlocksAsTheSettingsSay() {
    for (int blocks : new int[] {1, 2, 5, 40}) {
      assertThat(ChainLink.sending(confirmations(blocks)).confirmations()).isEqualTo(blocks);
    }
  }

  @Test
  void oneBlockMeansADevelopmentChainAndMoreAPublicOne() {
    assertThat(ChainLink.sending(confirmations(1))).isEqualTo(SenderSettings.development());
    assertThat(ChainLink.sending(confirmations(5)).replaceAfter())
        .isEqualTo(SenderSettings.production().replaceAfter());
  }
}

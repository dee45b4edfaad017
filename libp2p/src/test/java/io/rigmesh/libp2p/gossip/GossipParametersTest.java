package io.rigmesh.libp2p.gossip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.libp2p.gossip.MeshParameters.Degrees;
import io.rigmesh.libp2p.gossip.ScoreParameters.Behaviour;
import io.rigmesh.libp2p.gossip.ScoreParameters.Colocation;
import io.rigmesh.libp2p.gossip.TopicScoreParameters.FirstDeliveries;
import io.rigmesh.libp2p.gossip.TopicScoreParameters.InvalidMessages;
import io.rigmesh.libp2p.gossip.TopicScoreParameters.MeshDeliveries;
import io.rigmesh.libp2p.gossip.TopicScoreParameters.TimeInMesh;
import java.time.Duration;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

class GossipParametersTest {
  private static final Duration SECOND = Duration.ofSeconds(1);

  private static void refused(ThrowingCallable construction, String message) {
    assertThatThrownBy(construction)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(message);
  }

  @Test
  void theDefaultsAreThoseOfTheSpecifications() {
    MeshParameters mesh = GossipConfig.defaults().mesh();
    assertThat(mesh.degrees()).isEqualTo(new Degrees(6, 4, 12, 4, 2, 6));
    assertThat(mesh.gossipFactor()).isEqualTo(0.25);
    assertThat(mesh.heartbeat()).isEqualTo(SECOND);
    assertThat(mesh.historyLength()).isEqualTo(5);
    assertThat(mesh.historyGossip()).isEqualTo(3);
    assertThat(mesh.seenTimeToLive()).isEqualTo(Duration.ofMinutes(2));
    assertThat(mesh.pruneBackoff()).isEqualTo(Duration.ofMinutes(1));
    assertThat(mesh.unsubscribeBackoff()).isEqualTo(Duration.ofSeconds(10));
    assertThat(mesh.exchangePeers()).isEqualTo(16);
    assertThat(mesh.floodPublish()).isTrue();
  }

  @Test
  void thresholdsKeepTheirOrder() {
    refused(() -> new ScoreThresholds(0, -50, -80, 10, 1), "gossip must be under zero, not 0.0");
    refused(
        () -> new ScoreThresholds(-10, -5, -80, 10, 1),
        "publish must be at most the gossip threshold -10.0, not -5.0");
    refused(
        () -> new ScoreThresholds(-10, -50, -50, 10, 1),
        "graylist must be under the publish threshold -50.0, not -50.0");
    refused(
        () -> new ScoreThresholds(-10, -50, -80, -1, 1),
        "acceptExchange must be zero or more, not -1.0");
    refused(
        () -> new ScoreThresholds(Double.NaN, -50, -80, 10, 1),
        "gossip must be a finite number, not NaN");
  }

  @Test
  void rewardsArePositiveAndPenaltiesNegative() {
    refused(
        () -> new TimeInMesh(-1, SECOND, 1), "timeInMesh.weight must be zero or more, not -1.0");
    refused(
        () -> new TimeInMesh(1, Duration.ofNanos(1), 1),
        "timeInMesh.quantum must be at least a millisecond, not PT0.000000001S");
    refused(
        () -> new FirstDeliveries(1, 1, 1),
        "firstDeliveries.decay must be between 0 and 1, without both, not 1.0");
    refused(() -> new FirstDeliveries(1, 0.5, 0), "firstDeliveries.cap must be over 0.0, not 0.0");
    refused(
        () -> new MeshDeliveries(1, 0.5, 1, 1, SECOND, SECOND),
        "meshDeliveries.weight must be zero (off) or less, not 1.0");
    refused(
        () -> new MeshDeliveries(-1, 0.5, 5, 4, SECOND, SECOND),
        "meshDeliveries.cap must be at least the threshold 5.0, not 4.0");
    refused(
        () -> new InvalidMessages(0.1, 0.5),
        "invalidMessages.weight must be zero (off) or less, not 0.1");
    refused(() -> new Colocation(5, 1), "colocation.weight must be zero (off) or less, not 5.0");
    refused(
        () -> new Colocation(-5, 0), "colocation.threshold must be from 1 to 2147483647, not 0");
    refused(
        () -> new Behaviour(-1, 0, 0),
        "behaviour.decay must be between 0 and 1, without both, not 0.0");
  }

  @Test
  void degreesFitTogether() {
    refused(() -> new Degrees(3, 4, 12, 2, 1, 6), "target must be from 4 to 10000, not 3");
    refused(() -> new Degrees(6, 4, 5, 4, 2, 6), "high must be from 6 to 10000, not 5");
    refused(() -> new Degrees(6, 4, 12, 7, 2, 6), "score must be from 0 to 6, not 7");
    refused(
        () -> new Degrees(6, 4, 12, 4, 4, 6),
        "outbound must be zero, or under low (4) and at most half of target (6), not 4");
    // A bootstrapper has no mesh at all (gossipsub 1.1, "Recommendations for Network Operators").
    assertThat(new Degrees(0, 0, 0, 0, 0, 6).target()).isZero();
  }

  @Test
  void theRestIsCheckedToo() {
    ScoreParameters p = ScoreParameters.defaults();
    refused(
        () ->
            new ScoreParameters(
                Map.of(),
                p.otherTopics(),
                0,
                p.application(),
                p.colocation(),
                p.behaviour(),
                Duration.ofMillis(1),
                0.01,
                SECOND),
        "decayInterval must be at least 100 ms, not PT0.001S");
    refused(
        () -> new GossipLimits(2_000_000, 128, 4 << 20, 64, 1 << 26, 131_072, 1024),
        "messageBytesMax must be from 1 to 1044480, not 2000000");
    refused(() -> p.with("", p.otherTopics()), "A topic's name has 1 to 256 bytes of UTF-8, not 0");
  }

  @Test
  void aTopicsOwnParametersComeBeforeTheOthers() {
    TopicScoreParameters own =
        TopicScoreParameters.defaults()
            .with(
                new MeshDeliveries(-1, 0.5, 1, 1, SECOND, SECOND),
                new TopicScoreParameters.MeshFailures(-1, 0.5));
    ScoreParameters parameters = ScoreParameters.defaults().with("/one", own);
    assertThat(parameters.topic("/one")).isSameAs(own);
    assertThat(parameters.topic("/two")).isEqualTo(TopicScoreParameters.defaults());
  }
}

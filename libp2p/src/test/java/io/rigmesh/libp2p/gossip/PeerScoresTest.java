package io.rigmesh.libp2p.gossip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.rigmesh.libp2p.gossip.ScoreParameters.Application;
import io.rigmesh.libp2p.gossip.ScoreParameters.Behaviour;
import io.rigmesh.libp2p.gossip.ScoreParameters.Colocation;
import io.rigmesh.libp2p.gossip.TopicScoreParameters.FirstDeliveries;
import io.rigmesh.libp2p.gossip.TopicScoreParameters.InvalidMessages;
import io.rigmesh.libp2p.gossip.TopicScoreParameters.MeshDeliveries;
import io.rigmesh.libp2p.gossip.TopicScoreParameters.MeshFailures;
import io.rigmesh.libp2p.gossip.TopicScoreParameters.TimeInMesh;
import io.rigmesh.libp2p.identity.PeerId;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

/// Every part of the score function against numbers worked out by hand.
class PeerScoresTest {
  private static final String TOPIC = "/test/1";
  private static final PeerId PEER = Messages.peer(1);
  private static final Offset<Double> EXACT = within(1e-9);

  private static final TimeInMesh NO_P1 = new TimeInMesh(0, Duration.ofSeconds(1), 0);
  private static final FirstDeliveries NO_P2 = new FirstDeliveries(0, 0.5, 1);
  private static final MeshDeliveries NO_P3 =
      new MeshDeliveries(0, 0.5, 1, 1, Duration.ofSeconds(1), Duration.ZERO);
  private static final MeshFailures NO_P3B = new MeshFailures(0, 0.5);
  private static final InvalidMessages NO_P4 = new InvalidMessages(0, 0.5);
  private static final TopicScoreParameters NOTHING =
      new TopicScoreParameters(0, NO_P1, NO_P2, NO_P3, NO_P3B, NO_P4);

  private long now;

  private static ScoreParameters parameters(
      TopicScoreParameters topic, double cap, double application, Colocation colocation) {
    return new ScoreParameters(
        Map.of(TOPIC, topic),
        NOTHING,
        cap,
        new Application(1, peer -> application),
        colocation,
        new Behaviour(-10, 2, 0.5),
        Duration.ofSeconds(1),
        0.01,
        Duration.ofMinutes(10));
  }

  private PeerScores scores(TopicScoreParameters topic) {
    return scores(parameters(topic, 0, 0, new Colocation(0, 1)));
  }

  private PeerScores scores(ScoreParameters parameters) {
    PeerScores scores = new PeerScores(parameters, now);
    scores.add(PEER, Optional.empty());
    return scores;
  }

  private void pass(PeerScores scores, int seconds) {
    for (int i = 0; i < seconds; i++) {
      now += 1000;
      scores.decay(now);
    }
  }

  @Test
  void timeInTheMeshCountsInQuantaUpToItsCap() {
    PeerScores scores =
        scores(
            new TopicScoreParameters(
                2, new TimeInMesh(0.5, Duration.ofSeconds(4), 3), NO_P2, NO_P3, NO_P3B, NO_P4));
    pass(scores, 5);
    assertThat(scores.score(PEER)).as("outside the mesh").isZero();
    scores.graft(PEER, TOPIC, now);
    pass(scores, 6);
    assertThat(scores.score(PEER)).isCloseTo(2 * 0.5 * 6 / 4.0, EXACT);
    pass(scores, 100);
    assertThat(scores.score(PEER)).isCloseTo(2 * 0.5 * 3, EXACT);
    scores.prune(PEER, TOPIC);
    assertThat(scores.score(PEER)).isZero();
  }

  @Test
  void firstDeliveriesCountUpToTheirCapAndDecayToZero() {
    PeerScores scores =
        scores(
            new TopicScoreParameters(
                1, NO_P1, new FirstDeliveries(3, 0.5, 4), NO_P3, NO_P3B, NO_P4));
    for (int i = 0; i < 10; i++) {
      scores.firstDelivery(PEER, TOPIC);
    }
    assertThat(scores.score(PEER)).isCloseTo(12, EXACT);
    pass(scores, 1);
    assertThat(scores.score(PEER)).isCloseTo(6, EXACT);
    pass(scores, 7);
    assertThat(scores.score(PEER)).isCloseTo(12 / 256.0, EXACT);
    pass(scores, 1);
    assertThat(scores.score(PEER)).as("below decayToZero").isZero();
  }

  @Test
  void missingMeshDeliveriesCountSquaredAfterActivationAndStayAfterThePrune() {
    PeerScores scores =
        scores(
            new TopicScoreParameters(
                1,
                NO_P1,
                NO_P2,
                new MeshDeliveries(-1, 0.9, 4, 10, Duration.ofSeconds(5), Duration.ZERO),
                new MeshFailures(-2, 0.5),
                NO_P4));
    scores.nearDelivery(PEER, TOPIC);
    scores.graft(PEER, TOPIC, now);
    pass(scores, 5);
    assertThat(scores.score(PEER)).as("not yet measured").isZero();
    pass(scores, 1);
    assertThat(scores.score(PEER)).as("before the mesh nothing counted").isCloseTo(-16, EXACT);
    scores.firstDelivery(PEER, TOPIC);
    scores.nearDelivery(PEER, TOPIC);
    assertThat(scores.score(PEER)).isCloseTo(-4, EXACT);
    scores.prune(PEER, TOPIC);
    assertThat(scores.score(PEER)).as("only what stays").isCloseTo(-2 * 4, EXACT);
    pass(scores, 1);
    assertThat(scores.score(PEER)).isCloseTo(-2 * 2, EXACT);
  }

  @Test
  void enoughMeshDeliveriesCostNothingUpToTheirCap() {
    PeerScores scores =
        scores(
            new TopicScoreParameters(
                1,
                NO_P1,
                NO_P2,
                new MeshDeliveries(-1, 0.5, 2, 4, Duration.ofSeconds(1), Duration.ZERO),
                new MeshFailures(-2, 0.5),
                NO_P4));
    scores.graft(PEER, TOPIC, now);
    for (int i = 0; i < 100; i++) {
      scores.nearDelivery(PEER, TOPIC);
    }
    pass(scores, 1);
    assertThat(scores.score(PEER)).isZero();
    pass(scores, 1);
    assertThat(scores.score(PEER)).as("4 decayed twice").isCloseTo(-1, EXACT);
  }

  @Test
  void invalidMessagesCountSquared() {
    PeerScores scores =
        scores(
            new TopicScoreParameters(
                0.5, NO_P1, NO_P2, NO_P3, NO_P3B, new InvalidMessages(-3, 0.5)));
    for (int i = 0; i < 4; i++) {
      scores.invalid(PEER, TOPIC);
    }
    assertThat(scores.score(PEER)).isCloseTo(0.5 * -3 * 16, EXACT);
    pass(scores, 1);
    assertThat(scores.score(PEER)).isCloseTo(0.5 * -3 * 4, EXACT);
  }

  @Test
  void topicsTogetherAddNoMoreThanTheCapAndUnknownOnesNothing() {
    TopicScoreParameters topic =
        new TopicScoreParameters(
            1,
            NO_P1,
            new FirstDeliveries(1, 0.5, 100),
            NO_P3,
            NO_P3B,
            new InvalidMessages(-1, 0.5));
    PeerScores scores = scores(parameters(topic, 5, 0, new Colocation(0, 1)));
    for (int i = 0; i < 50; i++) {
      scores.firstDelivery(PEER, TOPIC);
      scores.invalid(PEER, "/other/1");
    }
    assertThat(scores.score(PEER)).isCloseTo(5, EXACT);
    for (int i = 0; i < 10; i++) {
      scores.invalid(PEER, TOPIC);
    }
    assertThat(scores.score(PEER)).as("there is no cap below").isCloseTo(50 - 100, EXACT);
  }

  @Test
  void theApplicationHasItsSay() {
    PeerScores scores = scores(parameters(NOTHING, 1, -7, new Colocation(0, 1)));
    assertThat(scores.score(PEER)).isCloseTo(-7, EXACT);
    assertThat(scores.score(Messages.peer(99))).as("an unknown peer").isZero();
  }

  @Test
  void peersAtOneAddressCountSquaredOverTheThresholdUntilSomeLeave() {
    PeerScores scores = scores(parameters(NOTHING, 0, 0, new Colocation(-1, 2)));
    for (int i = 1; i <= 5; i++) {
      scores.add(Messages.peer(i), Optional.of("one"));
    }
    scores.add(Messages.peer(6), Optional.of("other"));
    assertThat(scores.score(Messages.peer(5))).isCloseTo(-9, EXACT);
    assertThat(scores.score(Messages.peer(6))).isZero();
    scores.remove(Messages.peer(1), now);
    scores.add(Messages.peer(2), Optional.of("other"));
    assertThat(scores.score(Messages.peer(5))).isCloseTo(-1, EXACT);
    scores.add(Messages.peer(3), Optional.empty());
    assertThat(scores.score(Messages.peer(5))).isZero();
  }

  @Test
  void brokenRulesCountSquaredOverTheThreshold() {
    PeerScores scores = scores(NOTHING);
    scores.penalise(PEER, 2);
    assertThat(scores.score(PEER)).isZero();
    scores.penalise(PEER, 3);
    assertThat(scores.score(PEER)).isCloseTo(-90, EXACT);
    pass(scores, 1);
    assertThat(scores.score(PEER)).isCloseTo(-10 * 0.5 * 0.5, EXACT);
  }

  @Test
  void aBadScoreIsRetainedUndecayedAndForgottenAfterItsTime() {
    PeerScores scores = scores(NOTHING);
    scores.penalise(PEER, 5);
    double bad = scores.score(PEER);
    scores.remove(PEER, now);
    pass(scores, 599);
    assertThat(scores.score(PEER)).isEqualTo(bad);
    scores.add(PEER, Optional.empty());
    assertThat(scores.score(PEER)).isEqualTo(bad);
    scores.remove(PEER, now);
    pass(scores, 600);
    assertThat(scores.score(PEER)).isZero();
  }

  @Test
  void retainedScoresAreBounded() {
    PeerScores scores = scores(NOTHING);
    for (int i = 0; i < PeerScores.RETAINED_MAX + 10; i++) {
      PeerId peer = Messages.peer(1000 + i);
      scores.add(peer, Optional.empty());
      scores.penalise(peer, 5);
      scores.remove(peer, now);
    }
    assertThat(scores.score(Messages.peer(1000))).as("the eldest is forgotten").isZero();
    assertThat(scores.score(Messages.peer(1000 + 11))).isNegative();
  }

  @Test
  void manyIntervalsAtOnceDecayAsOften() {
    PeerScores slow = scores(NOTHING);
    slow.penalise(PEER, 100);
    now += 3500;
    slow.decay(now);
    double excess = 100 / 8.0 - 2;
    assertThat(slow.score(PEER)).isCloseTo(-10 * excess * excess, EXACT);
    now += 500;
    slow.decay(now);
    excess = 100 / 16.0 - 2;
    assertThat(slow.score(PEER))
        .as("the rest of the interval counts")
        .isCloseTo(-10 * excess * excess, EXACT);
  }
}

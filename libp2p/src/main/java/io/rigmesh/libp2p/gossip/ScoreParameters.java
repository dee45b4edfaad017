package io.rigmesh.libp2p.gossip;

import io.rigmesh.libp2p.identity.PeerId;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/// How the behaviour of peers counts (gossipsub 1.1, "Peer Scoring").
///
/// @param topics by name
/// @param otherTopics for topics that `topics` does not name
/// @param topicCap the most that all topics together add; zero for no cap
/// @param decayInterval how often counts decay
/// @param decayToZero counts below it become zero
/// @param retain how long the score of a peer that left is remembered, unless it was positive
public record ScoreParameters(
    Map<String, TopicScoreParameters> topics,
    TopicScoreParameters otherTopics,
    double topicCap,
    Application application,
    Colocation colocation,
    Behaviour behaviour,
    Duration decayInterval,
    double decayToZero,
    Duration retain) {

  public ScoreParameters {
    topics = Map.copyOf(topics);
    topics.keySet().forEach(TopicName::require);
    Checks.notNegative("topicCap", topicCap);
    Checks.require(
        decayInterval.compareTo(Duration.ofMillis(100)) >= 0,
        "decayInterval",
        "at least 100 ms",
        decayInterval);
    Checks.require(
        decayToZero > 0 && decayToZero < 1, "decayToZero", "between 0 and 1", decayToZero);
    Checks.require(!retain.isNegative(), "retain", "zero or more", retain);
  }

  /// P5: what the application thinks of a peer.
  ///
  /// @param score any number, bad ones negative; called often and under a lock: must be quick
  public record Application(double weight, ToDoubleFunction<PeerId> score) {
    public Application {
      Checks.notNegative("application.weight", weight);
    }
  }

  /// P6: the square of the number of peers at one IP address (IPv6: one /64) over a threshold.
  /// Loopback addresses do not count.
  public record Colocation(double weight, int threshold) {
    public Colocation {
      Checks.notPositive("colocation.weight", weight);
      Checks.within("colocation.threshold", threshold, 1, Integer.MAX_VALUE);
    }
  }

  /// P7: the square of the count, over a threshold, of broken rules: GRAFT during backoff, IHAVE
  /// without the message, malformed RPCs.
  public record Behaviour(double weight, double threshold, double decay) {
    public Behaviour {
      Checks.notPositive("behaviour.weight", weight);
      Checks.notNegative("behaviour.threshold", threshold);
      Checks.decay("behaviour.decay", decay);
    }
  }

  /// Every topic by [TopicScoreParameters#defaults], no opinion of the application, eight peers at
  /// one address, three broken rules forgiven.
  public static ScoreParameters defaults() {
    return new ScoreParameters(
        Map.of(),
        TopicScoreParameters.defaults(),
        100,
        new Application(1, peer -> 0),
        new Colocation(-5, 8),
        new Behaviour(-10, 3, 0.998),
        Duration.ofSeconds(1),
        0.01,
        Duration.ofHours(1));
  }

  TopicScoreParameters topic(String name) {
    return topics.getOrDefault(name, otherTopics);
  }

  /// The same with other parameters for one topic.
  public ScoreParameters with(String topic, TopicScoreParameters parameters) {
    Map<String, TopicScoreParameters> more = new HashMap<>(topics);
    more.put(topic, parameters);
    return new ScoreParameters(
        more,
        otherTopics,
        topicCap,
        application,
        colocation,
        behaviour,
        decayInterval,
        decayToZero,
        retain);
  }

  /// The same with the application's opinion.
  public ScoreParameters with(Application opinion) {
    return new ScoreParameters(
        topics,
        otherTopics,
        topicCap,
        opinion,
        colocation,
        behaviour,
        decayInterval,
        decayToZero,
        retain);
  }

  /// The same with another limit of peers at one address.
  public ScoreParameters with(Colocation limit) {
    return new ScoreParameters(
        topics,
        otherTopics,
        topicCap,
        application,
        limit,
        behaviour,
        decayInterval,
        decayToZero,
        retain);
  }
}

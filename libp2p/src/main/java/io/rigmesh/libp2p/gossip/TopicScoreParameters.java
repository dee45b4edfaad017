package io.rigmesh.libp2p.gossip;

import java.time.Duration;

/// How a peer's behaviour in one topic counts (gossipsub 1.1, "The Score Function"). A part whose
/// weight is zero is off.
///
/// @param weight multiplies the sum of all parts; zero when the topic does not count
public record TopicScoreParameters(
    double weight,
    TimeInMesh timeInMesh,
    FirstDeliveries firstDeliveries,
    MeshDeliveries meshDeliveries,
    MeshFailures meshFailures,
    InvalidMessages invalidMessages) {

  public TopicScoreParameters {
    Checks.notNegative("weight", weight);
  }

  /// P1: the time in the mesh, in quanta.
  ///
  /// @param cap the most quanta that count
  public record TimeInMesh(double weight, Duration quantum, double cap) {
    public TimeInMesh {
      Checks.notNegative("timeInMesh.weight", weight);
      Checks.require(
          quantum.toMillis() > 0, "timeInMesh.quantum", "at least a millisecond", quantum);
      Checks.notNegative("timeInMesh.cap", cap);
    }
  }

  /// P2: valid messages that the peer was first to deliver.
  ///
  /// @param decay what is left of the count after each [ScoreParameters#decayInterval]
  /// @param cap the highest count
  public record FirstDeliveries(double weight, double decay, double cap) {
    public FirstDeliveries {
      Checks.notNegative("firstDeliveries.weight", weight);
      Checks.decay("firstDeliveries.decay", decay);
      Checks.over("firstDeliveries.cap", cap, 0);
    }
  }

  /// P3: the square of the valid messages that a mesh peer should have delivered, first or nearly
  /// first, and did not. Only for topics whose rate is known.
  ///
  /// @param threshold the count below which it is penalised
  /// @param cap the highest count
  /// @param activation how long a peer is in the mesh before it is measured
  /// @param window how long after a message was accepted another delivery still counts
  public record MeshDeliveries(
      double weight,
      double decay,
      double threshold,
      double cap,
      Duration activation,
      Duration window) {
    public MeshDeliveries {
      Checks.notPositive("meshDeliveries.weight", weight);
      Checks.decay("meshDeliveries.decay", decay);
      Checks.over("meshDeliveries.threshold", threshold, 0);
      Checks.require(
          cap >= threshold, "meshDeliveries.cap", "at least the threshold " + threshold, cap);
      Checks.positive("meshDeliveries.activation", activation);
      Checks.require(!window.isNegative(), "meshDeliveries.window", "zero or more", window);
    }
  }

  /// P3b: what P3 was when the peer left the mesh, which stays for a while.
  public record MeshFailures(double weight, double decay) {
    public MeshFailures {
      Checks.notPositive("meshFailures.weight", weight);
      Checks.decay("meshFailures.decay", decay);
    }
  }

  /// P4: the square of the count of invalid messages.
  public record InvalidMessages(double weight, double decay) {
    public InvalidMessages {
      Checks.notPositive("invalidMessages.weight", weight);
      Checks.decay("invalidMessages.decay", decay);
    }
  }

  /// For a topic of unknown rate: the mesh and first deliveries count a little for a peer, invalid
  /// messages count heavily against it (nine in a short time graylist any), and missing deliveries
  /// do not count.
  public static TopicScoreParameters defaults() {
    return new TopicScoreParameters(
        1,
        new TimeInMesh(0.01, Duration.ofSeconds(1), 300),
        new FirstDeliveries(0.5, 0.998, 40),
        new MeshDeliveries(0, 0.97, 1, 1, Duration.ofSeconds(30), Duration.ofMillis(10)),
        new MeshFailures(0, 0.97),
        new InvalidMessages(-1.5, 0.997));
  }

  /// The same with other mesh deliveries, for a topic whose rate of messages is known.
  public TopicScoreParameters with(MeshDeliveries deliveries, MeshFailures failures) {
    return new TopicScoreParameters(
        weight, timeInMesh, firstDeliveries, deliveries, failures, invalidMessages);
  }
}

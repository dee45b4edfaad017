package io.rigmesh.libp2p.gossip;

import java.time.Duration;

/// Checks of parameters, with messages that name the parameter, its rule and its value.
final class Checks {
  private Checks() {}

  static void within(String name, long value, long min, long max) {
    require(value >= min && value <= max, name, "from " + min + " to " + max, value);
  }

  static void positive(String name, Duration value) {
    require(!value.isNegative() && !value.isZero(), name, "over zero", value);
  }

  static void finite(String name, double value) {
    require(Double.isFinite(value), name, "a finite number", value);
  }

  static void notNegative(String name, double value) {
    require(Double.isFinite(value) && value >= 0, name, "zero or more", value);
  }

  static void notPositive(String name, double value) {
    require(Double.isFinite(value) && value <= 0, name, "zero (off) or less", value);
  }

  static void over(String name, double value, double bound) {
    require(Double.isFinite(value) && value > bound, name, "over " + bound, value);
  }

  static void decay(String name, double value) {
    require(value > 0 && value < 1, name, "between 0 and 1, without both", value);
  }

  static void require(boolean holds, String name, String rule, Object value) {
    if (!holds) {
      throw new IllegalArgumentException(name + " must be " + rule + ", not " + value);
    }
  }
}

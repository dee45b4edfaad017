package io.rigmesh.worker.jinja;

/// What one rendering may still do. Templates come with models from strangers, so every node that
/// is evaluated, every value that is visited and every character that is made counts.
final class Budget {
  private static final int DEPTH_MAX = 100;

  private long steps;
  private long characters;
  private int depth;

  /// @param steps how many nodes may be evaluated and values visited
  /// @param characters how many characters may be made, intermediate ones counted
  Budget(long steps, long characters) {
    this.steps = steps;
    this.characters = characters;
  }

  void step() {
    steps(1);
  }

  void steps(long count) {
    steps -= count;
    if (steps < 0) {
      throw new Problem("the template takes too many steps");
    }
  }

  void characters(long count) {
    characters -= count;
    if (characters < 0) {
      throw new Problem("the template makes too much text");
    }
    steps(count >> 5);
  }

  /// Counts a text that was made.
  String made(String text) {
    characters(text.length());
    return text;
  }

  /// Notes a call or a value within another; each needs a [#leave].
  void enter() {
    if (++depth > DEPTH_MAX) {
      throw new Problem("calls or values are nested more than " + DEPTH_MAX + " deep");
    }
  }

  void leave() {
    depth--;
  }
}

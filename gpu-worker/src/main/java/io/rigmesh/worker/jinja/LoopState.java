package io.rigmesh.worker.jinja;

import java.util.List;
import java.util.Optional;

/// What `loop` says within a loop.
final class LoopState {
  private final List<Object> items;
  private final int depth;
  private final Optional<Function> recursion;
  private int index;
  private List<Object> last = List.of();
  private boolean asked;

  /// @param depth how many recursive loops this one is in
  /// @param recursion runs the loop on other items, where it is recursive
  LoopState(List<Object> items, int depth, Optional<Function> recursion) {
    this.items = items;
    this.depth = depth;
    this.recursion = recursion;
  }

  void at(int newIndex) {
    index = newIndex;
  }

  Optional<Function> recursion() {
    return recursion;
  }

  Optional<Object> find(String name, Values values) {
    int length = items.size();
    Object found =
        switch (name) {
          case "index" -> index + 1L;
          case "index0" -> (long) index;
          case "revindex" -> (long) (length - index);
          case "revindex0" -> length - index - 1L;
          case "first" -> index == 0;
          case "last" -> index == length - 1;
          case "length" -> (long) length;
          case "depth" -> depth + 1L;
          case "depth0" -> (long) depth;
          case "previtem" ->
              index > 0 ? items.get(index - 1) : new Undefined("there is no previous item: it");
          case "nextitem" ->
              index + 1 < length
                  ? items.get(index + 1)
                  : new Undefined("there is no next item: it");
          case "cycle" -> (Function) (positional, named) -> cycle(positional);
          case "changed" -> (Function) (positional, named) -> changed(positional, values);
          default -> null;
        };
    return Optional.ofNullable(found);
  }

  private Object cycle(List<Object> choices) {
    if (choices.isEmpty()) {
      throw new Problem("cycle needs something to choose from");
    }
    return choices.get(index % choices.size());
  }

  private boolean changed(List<Object> now, Values values) {
    boolean changed = !asked || !values.equal(last, now);
    asked = true;
    last = now;
    return changed;
  }
}

package io.rigmesh.worker.jinja;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// The names that a part of a template sees: its own, and those around it.
final class Scope {
  private final Optional<Scope> outer;
  private final Map<String, Object> names = new HashMap<>();

  private Scope(Optional<Scope> outer) {
    this.outer = outer;
  }

  static Scope root() {
    return new Scope(Optional.empty());
  }

  Scope inner() {
    return new Scope(Optional.of(this));
  }

  void set(String name, Object value) {
    names.put(name, value);
  }

  Object get(String name) {
    for (Optional<Scope> scope = Optional.of(this); scope.isPresent(); scope = scope.get().outer) {
      Object value = scope.get().names.get(name);
      if (value != null) {
        return value;
      }
    }
    return new Undefined("'" + name + "'");
  }
}

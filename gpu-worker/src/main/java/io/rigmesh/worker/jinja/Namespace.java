package io.rigmesh.worker.jinja;

import java.util.LinkedHashMap;
import java.util.Map;

/// What `namespace(...)` makes: the one kind of value that a template may change.
final class Namespace {
  private final Map<String, Object> members = new LinkedHashMap<>();

  Map<String, Object> members() {
    return members;
  }
}

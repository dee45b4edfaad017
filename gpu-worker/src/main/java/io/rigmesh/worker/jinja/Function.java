package io.rigmesh.worker.jinja;

import java.util.List;
import java.util.Map;

/// What can be called in a template.
@FunctionalInterface
interface Function {
  /// @throws Problem when the arguments do not fit
  Object call(List<Object> positional, Map<String, Object> named);
}

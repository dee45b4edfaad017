package io.rigmesh.worker.jinja;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The arguments that a call gives to parameters of known names.
final class Given {
  private final String callee;
  private final Map<String, Object> values = new HashMap<>();

  /// @param callee what is called, for errors
  /// @param parameters their names, in the order of positional arguments
  /// @throws Problem when there are too many arguments, or one of another name
  Given(String callee, List<Object> positional, Map<String, Object> named, String... parameters) {
    this.callee = callee;
    if (positional.size() > parameters.length) {
      throw new Problem(
          "%s takes at most %d arguments, not %d"
              .formatted(callee, parameters.length, positional.size()));
    }
    for (int i = 0; i < positional.size(); i++) {
      values.put(parameters[i], positional.get(i));
    }
    List<String> known = List.of(parameters);
    named.forEach((name, value) -> {
      if (!known.contains(name) || values.putIfAbsent(name, value) != null) {
        throw new Problem(callee + " has no free parameter " + name);
      }
    });
  }

  Optional<Object> find(String parameter) {
    return Optional.ofNullable(values.get(parameter)).filter(value -> value != None.NONE);
  }

  Object get(String parameter, Object usual) {
    return values.getOrDefault(parameter, usual);
  }

  Object need(String parameter) {
    Object value = values.get(parameter);
    if (value == null) {
      throw new Problem(callee + " needs the argument " + parameter);
    }
    return value;
  }

  String text(String parameter) {
    return Values.string(need(parameter));
  }

  int index(String parameter, int usual) {
    return find(parameter).map(Values::index).orElse(usual);
  }

  boolean flag(String parameter) {
    return Values.truth(get(parameter, false));
  }
}

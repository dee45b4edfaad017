package io.rigmesh.worker.jinja;

import java.util.List;
import java.util.Locale;
import java.util.Map;

/// What may stand behind `is`.
final class Conditions {
  private final Values values;

  Conditions(Values values) {
    this.values = values;
  }

  /// @throws Problem when there is no such test, or the value does not suit it
  boolean holds(String name, Object value, List<Object> positional, Map<String, Object> named) {
    return switch (name) {
      case "eq", "equalto", "==" -> values.equal(value, other(name, positional, named));
      case "ne", "!=" -> !values.equal(value, other(name, positional, named));
      case "lt", "lessthan", "<" -> values.compare(value, other(name, positional, named)) < 0;
      case "le", "<=" -> values.compare(value, other(name, positional, named)) <= 0;
      case "gt", "greaterthan", ">" -> values.compare(value, other(name, positional, named)) > 0;
      case "ge", ">=" -> values.compare(value, other(name, positional, named)) >= 0;
      case "in" -> values.contains(other(name, positional, named), value);
      // Templates ask this of true, false, none and numbers, which Python has but once.
      case "sameas" -> value.equals(other(name, positional, named));
      case "divisibleby" -> {
        Object rest = PyNumbers.arithmetic("%", value, other(name, positional, named));
        yield Values.real(rest) == 0;
      }
      default -> {
        new Given(name, positional, named);
        yield plain(name, value);
      }
    };
  }

  private static Object other(String name, List<Object> positional, Map<String, Object> named) {
    return new Given(name, positional, named, "other").need("other");
  }

  private static boolean plain(String name, Object value) {
    return switch (name) {
      case "defined" -> !(value instanceof Undefined);
      case "undefined" -> value instanceof Undefined;
      case "none" -> value == None.NONE;
      case "boolean" -> value instanceof Boolean;
      case "true" -> value.equals(true);
      case "false" -> value.equals(false);
      case "integer" -> value instanceof Long;
      case "float" -> value instanceof Double;
      case "number" -> Values.isNumber(value);
      case "string" -> value instanceof String;
      case "mapping" -> value instanceof Map<?, ?>;
      case "sequence" ->
          value instanceof List<?>
              || value instanceof Tuple
              || value instanceof String
              || value instanceof Map<?, ?>
              || value instanceof Undefined;
      case "iterable" ->
          value instanceof List<?>
              || value instanceof Tuple
              || value instanceof String
              || value instanceof Map<?, ?>
              || value instanceof Undefined;
      case "callable" -> value instanceof Function;
      case "odd" -> Math.floorMod(Values.integer(value), 2L) == 1;
      case "even" -> Math.floorMod(Values.integer(value), 2L) == 0;
      case "lower" ->
          value instanceof String text
              && text.equals(text.toLowerCase(Locale.ROOT))
              && !text.equals(text.toUpperCase(Locale.ROOT));
      case "upper" ->
          value instanceof String text
              && text.equals(text.toUpperCase(Locale.ROOT))
              && !text.equals(text.toLowerCase(Locale.ROOT));
      default -> throw new Problem("there is no test '" + name + "'");
    };
  }
}

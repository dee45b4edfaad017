package io.rigmesh.worker.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// What stands behind a `.` or in `[]`. There is nothing here but what is listed: no Java object is
/// reached, and nothing but a namespace can be changed.
final class Attributes {
  private static final Set<String> CHANGES =
      Set.of(
          "append",
          "clear",
          "extend",
          "insert",
          "pop",
          "popitem",
          "remove",
          "reverse",
          "setdefault",
          "sort",
          "update");

  private final Values values;
  private final StringMethods strings;

  Attributes(Values values) {
    this.values = values;
    this.strings = new StringMethods(values);
  }

  /// `of.name`: an attribute before an item.
  Object attribute(Object of, String name) {
    Optional<Object> attribute = own(of, name);
    if (attribute.isPresent()) {
      return attribute.get();
    }
    return of instanceof Map<?, ?> map && map.containsKey(name) ? map.get(name) : missing(of, name);
  }

  /// `of[index]`: an item before an attribute.
  Object item(Object of, Object index) {
    if (of instanceof Undefined undefined) {
      throw undefined.problem();
    }
    Optional<Object> item =
        switch (of) {
          case Map<?, ?> map -> ofMap(map, index);
          case List<?> list -> ofList(list, index);
          case Tuple tuple -> ofList(tuple.items(), index);
          case String text when index instanceof Long || index instanceof Boolean -> {
            int length = PyText.length(text);
            int at = Values.index(index) < 0 ? Values.index(index) + length : Values.index(index);
            if (at < 0 || at >= length) {
              yield Optional.empty();
            }
            yield Optional.of(Character.toString(text.codePointAt(text.offsetByCodePoints(0, at))));
          }
          default -> Optional.empty();
        };
    if (item.isEmpty() && index instanceof String name) {
      item = own(of, name);
    }
    return item.orElseGet(() -> missing(of, index));
  }

  private static Optional<Object> ofMap(Map<?, ?> map, Object index) {
    return index instanceof List<?> || index instanceof Map<?, ?> || index instanceof Undefined
        ? Optional.empty()
        : Optional.ofNullable(map.get(Values.key(index)));
  }

  private static Optional<Object> ofList(List<?> list, Object index) {
    if (!(index instanceof Long || index instanceof Boolean)) {
      return Optional.empty();
    }
    int at = Values.index(index) < 0 ? Values.index(index) + list.size() : Values.index(index);
    return at < 0 || at >= list.size() ? Optional.empty() : Optional.of(list.get(at));
  }

  private static Undefined missing(Object of, Object name) {
    String shown =
        switch (name) {
          case String text -> "'" + text + "'";
          case Long number -> number.toString();
          default -> "a " + Values.type(name);
        };
    if (name instanceof String text && CHANGES.contains(text)) {
      return new Undefined(shown + ", which would change a " + Values.type(of) + ",");
    }
    return new Undefined(shown + " of a " + Values.type(of));
  }

  private Optional<Object> own(Object of, String name) {
    return switch (of) {
      case Undefined undefined -> throw undefined.problem();
      case String text -> strings.find(text, name).map(method -> method);
      case Map<?, ?> map -> mapMethod(map, name).map(method -> method);
      case List<?> list -> listMethod(list, name).map(method -> method);
      case Tuple tuple -> listMethod(tuple.items(), name).map(method -> method);
      case Namespace namespace -> Optional.ofNullable(namespace.members().get(name));
      case LoopState loop -> loop.find(name, values);
      default -> Optional.empty();
    };
  }

  private Optional<Function> mapMethod(Map<?, ?> map, String name) {
    Function method =
        switch (name) {
          case "items" -> without(name, () -> pairs(map));
          case "keys" -> without(name, () -> new ArrayList<Object>(map.keySet()));
          case "values" -> without(name, () -> new ArrayList<Object>(map.values()));
          case "copy" -> without(name, () -> map);
          case "get" ->
              (positional, named) -> {
                Given given = new Given(name, positional, named, "key", "default");
                Object found = map.get(Values.key(given.need("key")));
                return found == null ? given.get("default", None.NONE) : found;
              };
          default -> null;
        };
    return Optional.ofNullable(method);
  }

  /// Keys with their values, as tuples.
  List<Object> pairs(Map<?, ?> map) {
    List<Object> pairs = new ArrayList<>();
    map.forEach((key, value) -> pairs.add(new Tuple(List.of(key, value))));
    values.budget().steps(pairs.size());
    return pairs;
  }

  private Optional<Function> listMethod(List<?> list, String name) {
    Function method =
        switch (name) {
          case "copy" -> without(name, () -> list);
          case "count" ->
              (positional, named) -> {
                Object wanted = new Given(name, positional, named, "item").need("item");
                return list.stream().filter(item -> values.equal(item, wanted)).count();
              };
          case "index" ->
              (positional, named) -> {
                Object wanted = new Given(name, positional, named, "item").need("item");
                for (int i = 0; i < list.size(); i++) {
                  if (values.equal(list.get(i), wanted)) {
                    return (long) i;
                  }
                }
                throw new Problem("the item looked for is not in the list");
              };
          default -> null;
        };
    return Optional.ofNullable(method);
  }

  private interface Result {
    Object get();
  }

  private static Function without(String name, Result result) {
    return (positional, named) -> {
      new Given(name, positional, named);
      return result.get();
    };
  }
}

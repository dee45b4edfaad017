package io.rigmesh.worker.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// Python's rules for the values of a template: Boolean, Long, Double, String, List, [Tuple], Map,
/// [None], [Undefined], [Namespace], [LoopState] and [Function].
final class Values {
  private final Budget budget;

  Values(Budget budget) {
    this.budget = budget;
  }

  Budget budget() {
    return budget;
  }

  static boolean truth(Object value) {
    return switch (value) {
      case Boolean flag -> flag;
      case Long number -> number != 0;
      case Double number -> number != 0;
      case String text -> !text.isEmpty();
      case List<?> list -> !list.isEmpty();
      case Tuple tuple -> !tuple.items().isEmpty();
      case Map<?, ?> map -> !map.isEmpty();
      case None ignored -> false;
      case Undefined ignored -> false;
      default -> true;
    };
  }

  /// What a person would call its type.
  static String type(Object value) {
    return switch (value) {
      case Boolean ignored -> "bool";
      case Long ignored -> "int";
      case Double ignored -> "float";
      case String ignored -> "str";
      case List<?> ignored -> "list";
      case Tuple ignored -> "tuple";
      case Map<?, ?> ignored -> "dict";
      case None ignored -> "NoneType";
      case Undefined ignored -> "undefined";
      case Namespace ignored -> "namespace";
      case LoopState ignored -> "loop";
      default -> "function";
    };
  }

  /// The members of something that can be iterated over; nothing of what is undefined.
  List<Object> items(Object value) {
    List<Object> items =
        switch (value) {
          case List<?> list -> new ArrayList<>(list);
          case Tuple tuple -> tuple.items();
          case Map<?, ?> map -> new ArrayList<>(map.keySet());
          case String text -> {
            List<Object> characters = new ArrayList<>();
            text.codePoints().forEach(c -> characters.add(Character.toString(c)));
            yield characters;
          }
          case Undefined ignored -> List.of();
          default -> throw new Problem("a " + type(value) + " cannot be iterated over");
        };
    budget.steps(items.size());
    return items;
  }

  long length(Object value) {
    return switch (value) {
      case String text -> PyText.length(text);
      case List<?> list -> list.size();
      case Tuple tuple -> tuple.items().size();
      case Map<?, ?> map -> map.size();
      case Undefined ignored -> 0;
      default -> throw new Problem("a " + type(value) + " has no length");
    };
  }

  /// Python's `==`.
  boolean equal(Object left, Object right) {
    budget.step();
    if (left instanceof Undefined || right instanceof Undefined) {
      return left instanceof Undefined && right instanceof Undefined;
    }
    if (isNumber(left) && isNumber(right)) {
      return (left instanceof Double || right instanceof Double)
          ? real(left) == real(right)
          : integer(left) == integer(right);
    }
    budget.enter();
    boolean equal =
        switch (left) {
          case List<?> list -> right instanceof List<?> other && equalItems(list, other);
          case Tuple tuple ->
              right instanceof Tuple other && equalItems(tuple.items(), other.items());
          case Map<?, ?> map -> right instanceof Map<?, ?> other && equalMaps(map, other);
          case String text -> text.equals(right);
          default -> left.equals(right);
        };
    budget.leave();
    return equal;
  }

  private boolean equalItems(List<?> left, List<?> right) {
    if (left.size() != right.size()) {
      return false;
    }
    for (int i = 0; i < left.size(); i++) {
      if (!equal(left.get(i), right.get(i))) {
        return false;
      }
    }
    return true;
  }

  private boolean equalMaps(Map<?, ?> left, Map<?, ?> right) {
    if (left.size() != right.size()) {
      return false;
    }
    for (Map.Entry<?, ?> entry : left.entrySet()) {
      Object other = right.get(entry.getKey());
      if (other == null || !equal(entry.getValue(), other)) {
        return false;
      }
    }
    return true;
  }

  /// Python's order: less than 0, 0 or more than 0.
  ///
  /// @throws Problem when the two have none
  int compare(Object left, Object right) {
    budget.step();
    if (isNumber(left) && isNumber(right)) {
      return (left instanceof Double || right instanceof Double)
          ? Double.compare(real(left), real(right))
          : Long.compare(integer(left), integer(right));
    }
    if (left instanceof String text && right instanceof String other) {
      return compareText(text, other);
    }
    if ((left instanceof List<?> && right instanceof List<?>)
        || (left instanceof Tuple && right instanceof Tuple)) {
      List<Object> lefts = items(left);
      List<Object> rights = items(right);
      for (int i = 0; i < Math.min(lefts.size(), rights.size()); i++) {
        if (!equal(lefts.get(i), rights.get(i))) {
          return compare(lefts.get(i), rights.get(i));
        }
      }
      return Integer.compare(lefts.size(), rights.size());
    }
    throw (left instanceof Undefined undefined)
        ? undefined.problem()
        : (right instanceof Undefined undefined)
            ? undefined.problem()
            : new Problem("a " + type(left) + " and a " + type(right) + " have no order");
  }

  private static int compareText(String left, String right) {
    int[] lefts = left.codePoints().toArray();
    int[] rights = right.codePoints().toArray();
    return java.util.Arrays.compare(lefts, rights);
  }

  /// Python's `item in container`.
  boolean contains(Object container, Object item) {
    return switch (container) {
      case String text -> {
        if (item instanceof String part) {
          budget.steps(text.length() >> 3);
          yield text.contains(part);
        }
        throw new Problem("a " + type(item) + " cannot be looked for in a str");
      }
      case Map<?, ?> map -> map.containsKey(key(item));
      case List<?> list -> list.stream().anyMatch(other -> equal(other, item));
      case Tuple tuple -> tuple.items().stream().anyMatch(other -> equal(other, item));
      case Undefined ignored -> false;
      default -> throw new Problem("nothing can be looked for in a " + type(container));
    };
  }

  /// A value as a key of a map.
  static Object key(Object value) {
    return switch (value) {
      case String text -> text;
      case Long number -> number;
      case Boolean flag -> flag ? 1L : 0L;
      case Double number ->
          number == Math.rint(number) && Math.abs(number) < 1e15
              ? (Object) number.longValue()
              : number;
      case None none -> none;
      case Tuple tuple -> tuple;
      default -> throw new Problem("a " + type(value) + " cannot be a key");
    };
  }

  /// Python's `str`.
  String text(Object value) {
    if (value instanceof String text) {
      return text;
    }
    if (value instanceof Undefined) {
      return "";
    }
    StringBuilder out = new StringBuilder();
    repr(value, out);
    return out.toString();
  }

  /// Python's `repr`, appended.
  void repr(Object value, StringBuilder out) {
    budget.step();
    budget.enter();
    int start = out.length();
    switch (value) {
      case Boolean flag -> out.append(flag ? "True" : "False");
      case Long number -> out.append((long) number);
      case Double number -> out.append(PyNumbers.repr(number));
      case String text -> quote(text, out);
      case None ignored -> out.append("None");
      case Undefined ignored -> out.append("Undefined");
      case List<?> list -> {
        out.append('[');
        commas(list, out);
        out.append(']');
      }
      case Tuple tuple -> {
        out.append('(');
        commas(tuple.items(), out);
        out.append(tuple.items().size() == 1 ? ",)" : ")");
      }
      case Map<?, ?> map -> {
        out.append('{');
        String separator = "";
        for (Map.Entry<?, ?> entry : map.entrySet()) {
          out.append(separator);
          repr(entry.getKey(), out);
          out.append(": ");
          repr(entry.getValue(), out);
          separator = ", ";
        }
        out.append('}');
      }
      default -> throw new Problem("a " + type(value) + " cannot be printed");
    }
    if (!(value instanceof List<?> || value instanceof Tuple || value instanceof Map<?, ?>)) {
      budget.characters(out.length() - start);
    }
    budget.leave();
  }

  private void commas(List<?> items, StringBuilder out) {
    String separator = "";
    for (Object item : items) {
      out.append(separator);
      repr(item, out);
      separator = ", ";
    }
  }

  private static void quote(String text, StringBuilder out) {
    char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
    out.append(quote);
    text.codePoints()
        .forEach(c -> {
          switch (c) {
            case '\n' -> out.append("\\n");
            case '\r' -> out.append("\\r");
            case '\t' -> out.append("\\t");
            case '\\' -> out.append("\\\\");
            default -> {
              if (c == quote) {
                out.append('\\').append(quote);
              } else if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad) {
                out.append("\\x%02x".formatted(c));
              } else if (isPrintable(c)) {
                out.appendCodePoint(c);
              } else {
                out.append(
                    (c > 0xffff ? "\\U%08x" : c > 0xff ? "\\u%04x" : "\\x%02x").formatted(c));
              }
            }
          }
        });
    out.append(quote);
  }

  private static boolean isPrintable(int c) {
    return c == ' '
        || switch (Character.getType(c)) {
          case Character.CONTROL,
              Character.FORMAT,
              Character.SURROGATE,
              Character.PRIVATE_USE,
              Character.UNASSIGNED,
              Character.LINE_SEPARATOR,
              Character.PARAGRAPH_SEPARATOR,
              Character.SPACE_SEPARATOR ->
              false;
          default -> true;
        };
  }

  static boolean isNumber(Object value) {
    return value instanceof Long || value instanceof Double || value instanceof Boolean;
  }

  /// An int or a bool as a number.
  static long integer(Object value) {
    return switch (value) {
      case Long number -> number;
      case Boolean flag -> flag ? 1 : 0;
      case Undefined undefined -> throw undefined.problem();
      default -> throw new Problem("expected an int, found a " + type(value));
    };
  }

  /// A count or an index, kept within what a list can have.
  static int index(Object value) {
    return Math.clamp(integer(value), Integer.MIN_VALUE / 2, Integer.MAX_VALUE / 2);
  }

  static double real(Object value) {
    return value instanceof Double number ? number : (double) integer(value);
  }

  /// A str, which it must be.
  static String string(Object value) {
    return switch (value) {
      case String text -> text;
      case Undefined undefined -> throw undefined.problem();
      default -> throw new Problem("expected a str, found a " + type(value));
    };
  }
}

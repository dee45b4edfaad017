package io.rigmesh.worker.jinja;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// The filters of Jinja that make sense of text, numbers and single values; those on sequences are
/// [SequenceFilters].
final class Filters {
  private static final int INDENT_MAX = 100;

  private final Values values;
  private final StringMethods strings;
  private final PyFormat formats;
  private final SequenceFilters sequences;

  Filters(Values values, Attributes attributes, Conditions conditions) {
    this.values = values;
    this.strings = new StringMethods(values);
    this.formats = new PyFormat(values);
    this.sequences = new SequenceFilters(values, attributes, conditions, this);
  }

  /// @throws Problem when there is no such filter, or the value or an argument does not suit it
  Object apply(String name, Object value, List<Object> positional, Map<String, Object> named) {
    Budget budget = values.budget();
    budget.step();
    return switch (name) {
      case "default", "d" -> {
        Given given = new Given(name, positional, named, "default_value", "boolean");
        boolean absent =
            value instanceof Undefined || (given.flag("boolean") && !Values.truth(value));
        yield absent ? given.get("default_value", "") : value;
      }
      case "trim" -> {
        Given given = new Given(name, positional, named, "chars");
        yield budget.made(
            StringMethods.strip(
                values.text(value), "strip", given.find("chars").map(Values::string)));
      }
      case "upper" -> budget.made(plain(name, value, positional, named).toUpperCase(Locale.ROOT));
      case "lower" -> budget.made(plain(name, value, positional, named).toLowerCase(Locale.ROOT));
      case "capitalize" -> budget.made(PyText.capitalize(plain(name, value, positional, named)));
      case "title" -> budget.made(title(plain(name, value, positional, named)));
      case "string", "safe" -> plain(name, value, positional, named);
      case "escape", "e" -> escaped(plain(name, value, positional, named));
      case "replace" -> {
        Given given = new Given(name, positional, named, "old", "new", "count");
        yield strings.replace(
            values.text(value),
            values.text(given.need("old")),
            values.text(given.need("new")),
            given.index("count", -1));
      }
      case "indent" -> {
        Given given = new Given(name, positional, named, "width", "first", "blank");
        yield indented(values.text(value), given);
      }
      case "format" ->
          formats.format(
              values.text(value), named.isEmpty() ? new Tuple(positional) : mapOf(named));
      case "tojson" ->
          json(
              value,
              new Given(
                  name, positional, named, "ensure_ascii", "indent", "separators", "sort_keys"));
      case "int" -> {
        Given given = new Given(name, positional, named, "default", "base");
        yield integer(value, given.get("default", 0L), given.index("base", 10));
      }
      case "float" ->
          real(value, new Given(name, positional, named, "default").get("default", 0.0));
      case "abs" -> {
        new Given(name, positional, named);
        yield Values.real(value) < 0 ? PyNumbers.negated(value) : value;
      }
      case "round" -> {
        Given given = new Given(name, positional, named, "precision", "method");
        yield PyNumbers.rounded(
            Values.real(value),
            given.index("precision", 0),
            given.find("method").map(Values::string).orElse("common"));
      }
      case "items" -> {
        new Given(name, positional, named);
        if (value instanceof Undefined) {
          yield List.of();
        }
        if (!(value instanceof Map<?, ?> map)) {
          throw new Problem("items needs a dict, found a " + Values.type(value));
        }
        List<Object> pairs = new ArrayList<>();
        map.forEach((key, item) -> pairs.add(new Tuple(List.of(key, item))));
        yield pairs;
      }
      default -> sequences.apply(name, value, positional, named);
    };
  }

  private static Map<String, Object> mapOf(Map<String, Object> named) {
    return new LinkedHashMap<>(named);
  }

  private String plain(
      String name, Object value, List<Object> positional, Map<String, Object> named) {
    new Given(name, positional, named);
    return values.text(value);
  }

  /// Jinja's own idea of titles: words begin behind spaces, hyphens and opening brackets.
  private static String title(String text) {
    StringBuilder out = new StringBuilder();
    boolean inWord = false;
    for (int c : text.codePoints().toArray()) {
      boolean between = PyText.isSpace(c) || "-({[<".indexOf(c) >= 0;
      out.appendCodePoint(
          between ? c : inWord ? Character.toLowerCase(c) : Character.toUpperCase(c));
      inWord = !between;
    }
    return out.toString();
  }

  private String escaped(String text) {
    return values
        .budget()
        .made(
            text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("'", "&#39;")
                .replace("\"", "&#34;"));
  }

  private String indented(String text, Given given) {
    String margin =
        given.get("width", 4L) instanceof String chosen
            ? chosen
            : " ".repeat(Math.clamp(given.index("width", 4), 0, INDENT_MAX));
    StringBuilder out = new StringBuilder();
    String[] lines = text.split("\n", -1);
    for (int i = 0; i < lines.length; i++) {
      boolean indents = i == 0 ? given.flag("first") : given.flag("blank") || !lines[i].isEmpty();
      values.budget().characters(margin.length() + lines[i].length() + 1L);
      out.append(i == 0 ? "" : "\n").append(indents ? margin : "").append(lines[i]);
    }
    return out.toString();
  }

  private String json(Object value, Given given) {
    int indent =
        given
            .find("indent")
            .map(width -> Math.clamp(Values.index(width), 0, INDENT_MAX))
            .orElse(-1);
    Optional<Object> separators = given.find("separators");
    String item = indent < 0 ? ", " : ",";
    String key = ": ";
    if (separators.isPresent()) {
      List<Object> pair = values.items(separators.get());
      if (pair.size() != 2) {
        throw new Problem("separators are two texts");
      }
      item = Values.string(pair.get(0));
      key = Values.string(pair.get(1));
    }
    return new JsonText(
            values.budget(), indent, item, key, given.flag("ensure_ascii"), given.flag("sort_keys"))
        .write(value);
  }

  private static Object integer(Object value, Object usual, int base) {
    try {
      return switch (value) {
        case Double number ->
            Double.isFinite(number) && Math.abs(number) < 0x1p63
                ? (Object) (long) (double) number
                : usual;
        case String text -> parsed(PyText.strip(text), usual, base);
        case Undefined undefined -> throw undefined.problem();
        default -> Values.isNumber(value) ? (Object) Values.integer(value) : usual;
      };
    } catch (NumberFormatException e) {
      return usual;
    }
  }

  private static Object parsed(String text, Object usual, int base) {
    String digits = text.replace("_", "");
    try {
      return Long.parseLong(digits, base);
    } catch (NumberFormatException e) {
      double real = Double.parseDouble(digits);
      return Double.isFinite(real) && Math.abs(real) < 0x1p63 ? (Object) (long) real : usual;
    }
  }

  private static Object real(Object value, Object usual) {
    try {
      return switch (value) {
        case String text -> Double.parseDouble(PyText.strip(text));
        case Undefined undefined -> throw undefined.problem();
        default -> Values.isNumber(value) ? (Object) Values.real(value) : usual;
      };
    } catch (NumberFormatException e) {
      return usual;
    }
  }

  /// As Jinja's comparisons of texts in filters: small letters and large ones are alike unless
  /// asked.
  Object sortKey(Object value, boolean caseSensitive) {
    return value instanceof String text && !caseSensitive ? text.toLowerCase(Locale.ROOT) : value;
  }

  /// A stable order of items by what a key gives.
  List<Object> sorted(
      List<Object> items, java.util.function.Function<Object, Object> key, boolean reverse) {
    values.budget().steps(items.size() * 16L);
    List<Object> sorted = new ArrayList<>(items);
    Comparator<Object> order = (a, b) -> values.compare(key.apply(a), key.apply(b));
    sorted.sort(reverse ? Collections.reverseOrder(order) : order);
    return sorted;
  }
}

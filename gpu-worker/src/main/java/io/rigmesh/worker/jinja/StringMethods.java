package io.rigmesh.worker.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.IntPredicate;

/// The methods of Python's `str` that templates use.
final class StringMethods {
  private final Values values;

  StringMethods(Values values) {
    this.values = values;
  }

  /// The method of a text, or empty when there is none of that name.
  Optional<Function> find(String text, String name) {
    Budget budget = values.budget();
    Function method =
        switch (name) {
          case "strip", "lstrip", "rstrip" ->
              (positional, named) -> {
                Given given = new Given(name, positional, named, "chars");
                return budget.made(strip(text, name, given.find("chars").map(Values::string)));
              };
          case "upper" -> plain(name, () -> budget.made(text.toUpperCase(Locale.ROOT)));
          case "lower" -> plain(name, () -> budget.made(text.toLowerCase(Locale.ROOT)));
          case "title" -> plain(name, () -> budget.made(PyText.title(text)));
          case "capitalize" -> plain(name, () -> budget.made(PyText.capitalize(text)));
          case "startswith", "endswith" ->
              (positional, named) -> {
                Object affix = new Given(name, positional, named, "affix").need("affix");
                List<Object> affixes =
                    affix instanceof Tuple tuple ? tuple.items() : List.of(affix);
                return affixes.stream()
                    .map(Values::string)
                    .anyMatch(part ->
                        name.equals("startswith") ? text.startsWith(part) : text.endsWith(part));
              };
          case "removeprefix", "removesuffix" ->
              (positional, named) -> {
                String part = new Given(name, positional, named, "affix").text("affix");
                if (name.equals("removeprefix")) {
                  return text.startsWith(part) ? text.substring(part.length()) : text;
                }
                return text.endsWith(part)
                    ? text.substring(0, text.length() - part.length())
                    : text;
              };
          case "split", "rsplit" ->
              (positional, named) -> {
                Given given = new Given(name, positional, named, "sep", "maxsplit");
                int most = given.index("maxsplit", -1);
                List<Object> parts =
                    given
                        .find("sep")
                        .map(sep -> splitBy(text, Values.string(sep), most, name.equals("rsplit")))
                        .orElseGet(() -> splitWords(text, most, name.equals("rsplit")));
                budget.characters(text.length());
                budget.steps(parts.size());
                return parts;
              };
          case "splitlines" ->
              (positional, named) ->
                  splitLines(text, new Given(name, positional, named, "keepends").flag("keepends"));
          case "partition", "rpartition" ->
              (positional, named) ->
                  partition(
                      text,
                      new Given(name, positional, named, "sep").text("sep"),
                      name.equals("rpartition"));
          case "replace" ->
              (positional, named) -> {
                Given given = new Given(name, positional, named, "old", "new", "count");
                return replace(
                    text, given.text("old"), given.text("new"), given.index("count", -1));
              };
          case "join" ->
              (positional, named) ->
                  join(text, new Given(name, positional, named, "items").need("items"));
          case "find", "rfind", "index", "rindex" ->
              (positional, named) ->
                  find(text, name, new Given(name, positional, named, "part").text("part"));
          case "count" ->
              (positional, named) ->
                  count(text, new Given(name, positional, named, "part").text("part"));
          case "isdigit", "isnumeric", "isdecimal" -> all(name, text, Character::isDigit);
          case "isalpha" -> all(name, text, Character::isLetter);
          case "isalnum" -> all(name, text, Character::isLetterOrDigit);
          case "isspace" -> all(name, text, PyText::isSpace);
          case "isupper" ->
              plain(
                  name,
                  () ->
                      text.equals(text.toUpperCase(Locale.ROOT))
                          && !text.equals(text.toLowerCase(Locale.ROOT)));
          case "islower" ->
              plain(
                  name,
                  () ->
                      text.equals(text.toLowerCase(Locale.ROOT))
                          && !text.equals(text.toUpperCase(Locale.ROOT)));
          case "ljust", "rjust", "center", "zfill" ->
              (positional, named) -> {
                Given given = new Given(name, positional, named, "width", "fill");
                return justified(
                    text,
                    name,
                    Values.index(given.need("width")),
                    given.find("fill").map(Values::string).orElse(" "));
              };
          default -> null;
        };
    return Optional.ofNullable(method);
  }

  private interface Result {
    Object get();
  }

  private static Function plain(String name, Result result) {
    return (positional, named) -> {
      new Given(name, positional, named);
      return result.get();
    };
  }

  private static Function all(String name, String text, IntPredicate predicate) {
    return plain(name, () -> !text.isEmpty() && text.codePoints().allMatch(predicate));
  }

  static String strip(String text, String method, Optional<String> characters) {
    boolean start = !method.equals("rstrip");
    boolean end = !method.equals("lstrip");
    String stripped = text;
    if (start) {
      String from = stripped;
      stripped =
          characters
              .map(chars -> PyText.stripStart(from, chars))
              .orElseGet(() -> PyText.stripStart(from));
    }
    if (end) {
      String from = stripped;
      stripped =
          characters
              .map(chars -> PyText.stripEnd(from, chars))
              .orElseGet(() -> PyText.stripEnd(from));
    }
    return stripped;
  }

  private static List<Object> splitBy(String text, String separator, int most, boolean fromEnd) {
    if (separator.isEmpty()) {
      throw new Problem("a text cannot be split by an empty one");
    }
    List<Object> parts = new ArrayList<>();
    int start = 0;
    int end = text.length();
    while (most < 0 || parts.size() < most) {
      int found =
          fromEnd
              ? text.lastIndexOf(separator, end - separator.length())
              : text.indexOf(separator, start);
      if (found < 0 || (fromEnd && end < separator.length())) {
        break;
      }
      if (fromEnd) {
        parts.addFirst(text.substring(found + separator.length(), end));
        end = found;
      } else {
        parts.add(text.substring(start, found));
        start = found + separator.length();
      }
    }
    if (fromEnd) {
      parts.addFirst(text.substring(0, end));
    } else {
      parts.add(text.substring(start));
    }
    return parts;
  }

  /// Splits at stretches of whitespace; what is left of the text when `most` were made keeps its
  /// own at the far end.
  private static List<Object> splitWords(String text, int most, boolean fromEnd) {
    List<Object> parts = new ArrayList<>();
    String rest = fromEnd ? PyText.stripEnd(text) : PyText.stripStart(text);
    while (!rest.isEmpty() && (most < 0 || parts.size() < most)) {
      int edge = fromEnd ? lastSpace(rest) : firstSpace(rest);
      if (fromEnd) {
        parts.addFirst(rest.substring(Math.max(edge, 0)));
        rest = edge < 0 ? "" : PyText.stripEnd(rest.substring(0, edge));
      } else {
        parts.add(edge < 0 ? rest : rest.substring(0, edge));
        rest = edge < 0 ? "" : PyText.stripStart(rest.substring(edge));
      }
    }
    if (!rest.isEmpty()) {
      parts.add(fromEnd ? 0 : parts.size(), rest);
    }
    return parts;
  }

  private static int firstSpace(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (PyText.isSpace(text.charAt(i))) {
        return i;
      }
    }
    return -1;
  }

  /// Where the last word starts, or -1 where there is but one.
  private static int lastSpace(String text) {
    for (int i = text.length(); i > 0; i--) {
      if (PyText.isSpace(text.charAt(i - 1))) {
        return i;
      }
    }
    return -1;
  }

  private List<Object> splitLines(String text, boolean keepEnds) {
    List<Object> lines = new ArrayList<>();
    int start = 0;
    for (int i = 0; i < text.length(); i++) {
      int width =
          switch (text.charAt(i)) {
            case '\r' -> i + 1 < text.length() && text.charAt(i + 1) == '\n' ? 2 : 1;
            case '\n', 0x0b, '\f', 0x1c, 0x1d, 0x1e, 0x85, 0x2028, 0x2029 -> 1;
            default -> 0;
          };
      if (width > 0) {
        lines.add(text.substring(start, keepEnds ? i + width : i));
        i += width - 1;
        start = i + 1;
      }
    }
    if (start < text.length()) {
      lines.add(text.substring(start));
    }
    values.budget().characters(text.length());
    values.budget().steps(lines.size());
    return lines;
  }

  private static Tuple partition(String text, String separator, boolean last) {
    if (separator.isEmpty()) {
      throw new Problem("a text cannot be split by an empty one");
    }
    int found = last ? text.lastIndexOf(separator) : text.indexOf(separator);
    if (found < 0) {
      return new Tuple(last ? List.of("", "", text) : List.of(text, "", ""));
    }
    return new Tuple(
        List.of(text.substring(0, found), separator, text.substring(found + separator.length())));
  }

  String replace(String text, String old, String replacement, int most) {
    StringBuilder out = new StringBuilder();
    int start = 0;
    int done = 0;
    while (most < 0 || done < most) {
      int found = old.isEmpty() ? between(text, start, done) : text.indexOf(old, start);
      if (found < 0) {
        break;
      }
      out.append(text, start, found).append(replacement);
      values.budget().characters(found - start + (long) replacement.length() + 1);
      start = found + old.length();
      done++;
    }
    values.budget().characters(text.length() - start);
    return out.append(text, start, text.length()).toString();
  }

  /// Where an empty text is found for the nth time: before the first character, then behind each.
  private static int between(String text, int start, int done) {
    if (done == 0) {
      return 0;
    }
    return start >= text.length() ? -1 : text.offsetByCodePoints(start, 1);
  }

  private String join(String separator, Object items) {
    StringBuilder out = new StringBuilder();
    String before = "";
    for (Object item : values.items(items)) {
      String text = Values.string(item);
      values.budget().characters(before.length() + (long) text.length());
      out.append(before).append(text);
      before = separator;
    }
    return out.toString();
  }

  private static long find(String text, String method, String part) {
    int found = method.startsWith("r") ? text.lastIndexOf(part) : text.indexOf(part);
    if (found < 0 && method.endsWith("index")) {
      throw new Problem("the text looked for is not there");
    }
    return found < 0 ? -1 : text.codePointCount(0, found);
  }

  private static long count(String text, String part) {
    if (part.isEmpty()) {
      return PyText.length(text) + 1L;
    }
    long count = 0;
    for (int at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length())) {
      count++;
    }
    return count;
  }

  private String justified(String text, String method, int width, String fill) {
    if (PyText.length(fill) != 1) {
      throw new Problem("the fill of " + method + " must be one character");
    }
    int missing = Math.max(0, width - PyText.length(text));
    values.budget().characters((long) missing + text.length());
    int left =
        switch (method) {
          case "ljust" -> 0;
          case "center" -> missing / 2 + (missing & width & 1);
          default -> missing;
        };
    if (method.equals("zfill")) {
      int sign = text.startsWith("-") || text.startsWith("+") ? 1 : 0;
      return text.substring(0, sign) + "0".repeat(missing) + text.substring(sign);
    }
    return fill.repeat(left) + text + fill.repeat(missing - left);
  }
}

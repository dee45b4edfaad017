package io.rigmesh.worker.jinja;

import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Python's `%` on texts, as far as `%s`, `%r`, `%d`, `%i`, `%f`, `%x` and `%%` with a width and a
/// precision go.
final class PyFormat {
  private static final int WIDTH_MAX = 1000;
  private static final Pattern FIELD =
      Pattern.compile("%(?:\\((\\w+)\\))?([-0]*)(\\d{0,4})(?:\\.(\\d{1,3}))?([srdifx%])");

  private final Values values;

  PyFormat(Values values) {
    this.values = values;
  }

  String format(String pattern, Object given) {
    List<Object> positional = given instanceof Tuple tuple ? tuple.items() : List.of(given);
    StringBuilder out = new StringBuilder();
    int used = 0;
    boolean named = false;
    int at = 0;
    Matcher matcher = FIELD.matcher(pattern);
    while (true) {
      int next = pattern.indexOf('%', at);
      if (next < 0) {
        break;
      }
      out.append(pattern, at, next);
      if (!matcher.find(next) || matcher.start() != next) {
        throw new Problem("the format has a '%' that is not understood");
      }
      at = matcher.end();
      if (matcher.group(5).equals("%")) {
        out.append('%');
        continue;
      }
      Object value;
      if (matcher.group(1) != null) {
        named = true;
        if (!(given instanceof Map<?, ?> map) || !map.containsKey(matcher.group(1))) {
          throw new Problem("the format needs a value named " + matcher.group(1));
        }
        value = map.get(matcher.group(1));
      } else if (used < positional.size()) {
        value = positional.get(used++);
      } else {
        throw new Problem("the format needs more values than it is given");
      }
      out.append(field(matcher, value));
      values.budget().characters(out.length() >> 4);
    }
    if (!named && used < positional.size() && !(given instanceof Map<?, ?>)) {
      throw new Problem("the format uses fewer values than it is given");
    }
    return values.budget().made(out.append(pattern, at, pattern.length()).toString());
  }

  private String field(Matcher matcher, Object value) {
    String precision = matcher.group(4);
    String text =
        switch (matcher.group(5)) {
          case "s" -> cut(values.text(value), precision);
          case "r" -> {
            StringBuilder repr = new StringBuilder();
            values.repr(value, repr);
            yield cut(repr.toString(), precision);
          }
          case "f" ->
              PyNumbers.fixed(
                  Values.real(value), precision == null ? 6 : Integer.parseInt(precision));
          case "x" -> {
            long number = Values.integer(value);
            yield number < 0 ? "-" + Long.toHexString(-number) : Long.toHexString(number);
          }
          default ->
              Long.toString(
                  value instanceof Double number ? (long) (double) number : Values.integer(value));
        };
    int width =
        matcher.group(3).isEmpty() ? 0 : Math.min(WIDTH_MAX, Integer.parseInt(matcher.group(3)));
    int missing = Math.max(0, width - PyText.length(text));
    if (matcher.group(2).contains("-")) {
      return text + " ".repeat(missing);
    }
    boolean zeros = matcher.group(2).contains("0") && "dixf".contains(matcher.group(5));
    if (zeros) {
      int sign = text.startsWith("-") ? 1 : 0;
      return text.substring(0, sign) + "0".repeat(missing) + text.substring(sign);
    }
    return " ".repeat(missing) + text;
  }

  private static String cut(String text, String precision) {
    if (precision == null || PyText.length(text) <= Integer.parseInt(precision)) {
      return text;
    }
    return text.substring(0, text.offsetByCodePoints(0, Integer.parseInt(precision)));
  }
}

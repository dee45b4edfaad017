package io.rigmesh.worker.jinja;

import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.TextStyle;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// The functions that a template can call: Jinja's `range`, `dict` and `namespace`, and those that
/// transformers adds for chat templates, `raise_exception` and `strftime_now`.
final class Globals {
  private static final int RANGE_MAX = 100_000;

  private final Values values;
  private final LocalDateTime now;

  Globals(Values values, LocalDateTime now) {
    this.values = values;
    this.now = now;
  }

  void define(Scope scope) {
    scope.set("range", (Function) (positional, named) -> range(positional, named));
    scope.set("dict", (Function) (positional, named) -> dict("dict", positional, named));
    scope.set(
        "namespace",
        (Function)
            (positional, named) -> {
              Namespace namespace = new Namespace();
              dict("namespace", positional, named)
                  .forEach((key, value) -> namespace.members().put(Values.string(key), value));
              return namespace;
            });
    scope.set(
        "raise_exception",
        (Function)
            (positional, named) -> {
              Given given = new Given("raise_exception", positional, named, "message");
              throw Problem.refusal(values.text(given.need("message")));
            });
    scope.set(
        "strftime_now",
        (Function)
            (positional, named) ->
                time(new Given("strftime_now", positional, named, "format").text("format")));
  }

  private List<Object> range(List<Object> positional, Map<String, Object> named) {
    new Given("range", positional, named, "start", "stop", "step");
    if (positional.isEmpty()) {
      throw new Problem("range needs a number");
    }
    long start = positional.size() == 1 ? 0 : Values.index(positional.get(0));
    long stop = Values.index(positional.get(positional.size() == 1 ? 0 : 1));
    long step = positional.size() == 3 ? Values.index(positional.get(2)) : 1;
    if (step == 0) {
      throw new Problem("the step of a range must not be 0");
    }
    long count = Math.max(0, Math.ceilDiv(stop - start, step));
    if (count > RANGE_MAX) {
      throw new Problem("a range has at most " + RANGE_MAX + " numbers");
    }
    values.budget().steps(count);
    List<Object> range = new ArrayList<>();
    for (long i = 0; i < count; i++) {
      range.add(start + i * step);
    }
    return range;
  }

  private static Map<Object, Object> dict(
      String name, List<Object> positional, Map<String, Object> named) {
    Map<Object, Object> made = new LinkedHashMap<>();
    if (positional.size() == 1 && positional.getFirst() instanceof Map<?, ?> given) {
      made.putAll(given);
    } else if (!positional.isEmpty()) {
      throw new Problem(name + " is made of one dict and of named values");
    }
    made.putAll(named);
    return made;
  }

  private String time(String format) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < format.length(); i++) {
      char c = format.charAt(i);
      if (c != '%' || i + 1 == format.length()) {
        out.append(c);
        continue;
      }
      char code = format.charAt(++i);
      boolean bare = code == '-' && i + 1 < format.length();
      if (bare) {
        code = format.charAt(++i);
      }
      String field = field(code);
      out.append(bare && field.length() > 1 && field.startsWith("0") ? field.substring(1) : field);
    }
    return values.budget().made(out.toString());
  }

  private String field(char code) {
    return switch (code) {
      case 'Y' -> number("%04d", now.getYear());
      case 'y' -> number("%02d", now.getYear() % 100);
      case 'm' -> number("%02d", now.getMonthValue());
      case 'd' -> number("%02d", now.getDayOfMonth());
      case 'e' -> number("%2d", now.getDayOfMonth());
      case 'j' -> number("%03d", now.getDayOfYear());
      case 'H' -> number("%02d", now.getHour());
      case 'I' -> number("%02d", (now.getHour() + 11) % 12 + 1);
      case 'M' -> number("%02d", now.getMinute());
      case 'S' -> number("%02d", now.getSecond());
      case 'p' -> now.getHour() < 12 ? "AM" : "PM";
      case 'B' -> now.getMonth().getDisplayName(TextStyle.FULL, Locale.ENGLISH);
      case 'b' -> now.getMonth().getDisplayName(TextStyle.FULL, Locale.ENGLISH).substring(0, 3);
      case 'A' -> now.getDayOfWeek().getDisplayName(TextStyle.FULL, Locale.ENGLISH);
      case 'a' -> now.getDayOfWeek().getDisplayName(TextStyle.FULL, Locale.ENGLISH).substring(0, 3);
      case 'F' -> now.format(DateTimeFormatter.ISO_LOCAL_DATE);
      case 'T' -> number("%02d", now.getHour()) + ":" + field('M') + ":" + field('S');
      case '%' -> "%";
      default -> throw new Problem("strftime_now does not know '%" + code + "'");
    };
  }

  private static String number(String format, int number) {
    return String.format(Locale.ROOT, format, number);
  }
}

package io.rigmesh.worker.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;

/// The filters on lists, dicts and whatever else can be iterated over. What is a generator in
/// Python is a list here.
final class SequenceFilters {
  private final Values values;
  private final Attributes attributes;
  private final Conditions conditions;
  private final Filters filters;

  SequenceFilters(Values values, Attributes attributes, Conditions conditions, Filters filters) {
    this.values = values;
    this.attributes = attributes;
    this.conditions = conditions;
    this.filters = filters;
  }

  Object apply(String name, Object value, List<Object> positional, Map<String, Object> named) {
    return switch (name) {
      case "length", "count" -> {
        new Given(name, positional, named);
        yield values.length(value);
      }
      case "list" -> {
        new Given(name, positional, named);
        yield new ArrayList<>(values.items(value));
      }
      case "first", "last" -> {
        new Given(name, positional, named);
        List<Object> items = values.items(value);
        yield items.isEmpty()
            ? new Undefined("the " + name + " item of nothing")
            : name.equals("first") ? items.getFirst() : items.getLast();
      }
      case "reverse" -> {
        new Given(name, positional, named);
        yield value instanceof String text
            ? new StringBuilder(text).reverse().toString()
            : new ArrayList<>(values.items(value).reversed());
      }
      case "join" -> {
        Given given = new Given(name, positional, named, "d", "attribute");
        yield join(value, given);
      }
      case "map" -> map(value, positional, named);
      case "select" -> select(value, positional, named, false, true);
      case "reject" -> select(value, positional, named, false, false);
      case "selectattr" -> select(value, positional, named, true, true);
      case "rejectattr" -> select(value, positional, named, true, false);
      case "sort" -> {
        Given given = new Given(name, positional, named, "reverse", "case_sensitive", "attribute");
        UnaryOperator<Object> part = part(given.find("attribute"));
        boolean exact = given.flag("case_sensitive");
        yield filters.sorted(
            values.items(value),
            item -> filters.sortKey(part.apply(item), exact),
            given.flag("reverse"));
      }
      case "dictsort" -> {
        Given given = new Given(name, positional, named, "case_sensitive", "by", "reverse");
        if (!(value instanceof Map<?, ?> map)) {
          throw new Problem("dictsort needs a dict, found a " + Values.type(value));
        }
        int by = given.get("by", "key").equals("value") ? 1 : 0;
        boolean exact = given.flag("case_sensitive");
        yield filters.sorted(
            attributes.pairs(map),
            pair -> filters.sortKey(((Tuple) pair).items().get(by), exact),
            given.flag("reverse"));
      }
      case "min", "max" -> {
        Given given = new Given(name, positional, named, "case_sensitive", "attribute");
        UnaryOperator<Object> part = part(given.find("attribute"));
        boolean exact = given.flag("case_sensitive");
        List<Object> sorted =
            filters.sorted(
                values.items(value),
                item -> filters.sortKey(part.apply(item), exact),
                name.equals("max"));
        yield sorted.isEmpty() ? new Undefined("the " + name + " of nothing") : sorted.getFirst();
      }
      case "unique" -> {
        Given given = new Given(name, positional, named, "case_sensitive", "attribute");
        yield unique(value, part(given.find("attribute")), given.flag("case_sensitive"));
      }
      case "sum" -> {
        Given given = new Given(name, positional, named, "attribute", "start");
        UnaryOperator<Object> part = part(given.find("attribute"));
        Object total = given.get("start", 0L);
        for (Object item : values.items(value)) {
          total = PyNumbers.arithmetic("+", total, part.apply(item));
        }
        yield total;
      }
      default -> throw new Problem("there is no filter '" + name + "'");
    };
  }

  /// What gives an attribute, by a dotted path, or the item itself where none is named.
  private UnaryOperator<Object> part(Optional<Object> path) {
    if (path.isEmpty()) {
      return item -> item;
    }
    Object named = path.get();
    if (named instanceof Long) {
      return item -> attributes.item(item, named);
    }
    String[] steps = Values.string(named).split("\\.", -1);
    return item -> {
      Object found = item;
      for (String step : steps) {
        found =
            attributes.item(
                found, step.matches("[0-9]{1,9}") ? (Object) (long) Integer.parseInt(step) : step);
      }
      return found;
    };
  }

  private Object join(Object value, Given given) {
    String separator = values.text(given.get("d", ""));
    UnaryOperator<Object> part = part(given.find("attribute"));
    StringBuilder out = new StringBuilder();
    String before = "";
    for (Object item : values.items(value)) {
      String text = values.text(part.apply(item));
      values.budget().characters(before.length() + (long) text.length());
      out.append(before).append(text);
      before = separator;
    }
    return out.toString();
  }

  private Object map(Object value, List<Object> positional, Map<String, Object> named) {
    List<Object> mapped = new ArrayList<>();
    if (positional.isEmpty()) {
      Given given = new Given("map", positional, named, "attribute", "default");
      given.need("attribute");
      UnaryOperator<Object> part = part(given.find("attribute"));
      for (Object item : values.items(value)) {
        Object found = part.apply(item);
        mapped.add(found instanceof Undefined ? given.find("default").orElse(found) : found);
      }
      return mapped;
    }
    String filter = Values.string(positional.getFirst());
    List<Object> rest = positional.subList(1, positional.size());
    for (Object item : values.items(value)) {
      mapped.add(filters.apply(filter, item, rest, named));
    }
    return mapped;
  }

  private Object select(
      Object value,
      List<Object> positional,
      Map<String, Object> named,
      boolean byAttribute,
      boolean wanted) {
    int skipped = byAttribute ? 1 : 0;
    if (positional.size() < skipped) {
      throw new Problem("selectattr and rejectattr need the name of an attribute");
    }
    UnaryOperator<Object> part =
        part(byAttribute ? Optional.of(positional.getFirst()) : Optional.empty());
    List<Object> rest = positional.subList(skipped, positional.size());
    List<Object> selected = new ArrayList<>();
    for (Object item : values.items(value)) {
      Object tested = part.apply(item);
      boolean holds =
          rest.isEmpty()
              ? Values.truth(tested)
              : conditions.holds(
                  Values.string(rest.getFirst()), tested, rest.subList(1, rest.size()), named);
      if (holds == wanted) {
        selected.add(item);
      }
    }
    return selected;
  }

  private List<Object> unique(Object value, UnaryOperator<Object> part, boolean exact) {
    List<Object> kept = new ArrayList<>();
    List<Object> seen = new ArrayList<>();
    for (Object item : values.items(value)) {
      Object key = filters.sortKey(part.apply(item), exact);
      if (seen.stream().noneMatch(other -> values.equal(other, key))) {
        seen.add(key);
        kept.add(item);
      }
    }
    return kept;
  }
}

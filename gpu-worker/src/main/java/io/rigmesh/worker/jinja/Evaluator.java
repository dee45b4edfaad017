package io.rigmesh.worker.jinja;

import io.rigmesh.worker.jinja.Expression.Arguments;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Gives expressions their values.
final class Evaluator {
  private static final int DEPTH_MAX = 600;

  private final Values values;
  private final Attributes attributes;
  private final Conditions conditions;
  private final Filters filters;
  private final PyFormat formats;
  private int depth;

  Evaluator(Values values) {
    this.values = values;
    this.attributes = new Attributes(values);
    this.conditions = new Conditions(values);
    this.filters = new Filters(values, attributes, conditions);
    this.formats = new PyFormat(values);
  }

  /// @throws JinjaException naming the line where something has no value
  Object value(Expression expression, Scope scope) {
    if (++depth > DEPTH_MAX) {
      throw new JinjaException(
          expression.line(), "expressions are nested more than " + DEPTH_MAX + " deep");
    }
    try {
      values.budget().step();
      return evaluated(expression, scope);
    } catch (Problem e) {
      throw e.at(expression.line());
    } finally {
      depth--;
    }
  }

  private Object evaluated(Expression expression, Scope scope) {
    return switch (expression) {
      case Expression.Literal literal -> literal.value();
      case Expression.Name name -> scope.get(name.name());
      case Expression.ListOf list -> all(list.items(), scope);
      case Expression.TupleOf tuple -> new Tuple(all(tuple.items(), scope));
      case Expression.DictOf dict -> {
        Map<Object, Object> made = new LinkedHashMap<>();
        for (int i = 0; i < dict.keys().size(); i++) {
          made.put(
              Values.key(value(dict.keys().get(i), scope)), value(dict.values().get(i), scope));
        }
        yield made;
      }
      case Expression.Attribute attribute ->
          attributes.attribute(value(attribute.of(), scope), attribute.name());
      case Expression.Item item ->
          attributes.item(value(item.of(), scope), value(item.index(), scope));
      case Expression.Slice slice -> slice(slice, scope);
      case Expression.Call call -> call(call, scope);
      case Expression.Filter filter ->
          filter(filter.name(), value(filter.of(), scope), filter.arguments(), scope);
      case Expression.Test test ->
          conditions.holds(
              test.name(),
              value(test.of(), scope),
              all(test.arguments().positional(), scope),
              named(test.arguments(), scope));
      case Expression.Not not -> !Values.truth(value(not.of(), scope));
      case Expression.Sign sign -> {
        Object of = value(sign.of(), scope);
        if (sign.negative()) {
          yield PyNumbers.negated(of);
        }
        yield of instanceof Double ? of : (Object) Values.integer(of);
      }
      case Expression.And and -> {
        Object left = value(and.left(), scope);
        yield Values.truth(left) ? value(and.right(), scope) : left;
      }
      case Expression.Or or -> {
        Object left = value(or.left(), scope);
        yield Values.truth(left) ? left : value(or.right(), scope);
      }
      case Expression.Binary binary ->
          binary(binary.operator(), value(binary.left(), scope), value(binary.right(), scope));
      case Expression.Comparison comparison -> comparison(comparison, scope);
      case Expression.Conditional conditional -> {
        if (Values.truth(value(conditional.condition(), scope))) {
          yield value(conditional.then(), scope);
        }
        yield conditional.otherwise().isPresent()
            ? value(conditional.otherwise().get(), scope)
            : new Undefined("the value of an 'if' without 'else'");
      }
    };
  }

  private List<Object> all(List<Expression> expressions, Scope scope) {
    List<Object> all = new ArrayList<>();
    for (Expression expression : expressions) {
      all.add(value(expression, scope));
    }
    return all;
  }

  private Map<String, Object> named(Arguments arguments, Scope scope) {
    Map<String, Object> named = new LinkedHashMap<>();
    arguments.named().forEach((name, expression) -> named.put(name, value(expression, scope)));
    return named;
  }

  Object filter(String name, Object value, Arguments arguments, Scope scope) {
    return filters.apply(name, value, all(arguments.positional(), scope), named(arguments, scope));
  }

  private Object call(Expression.Call call, Scope scope) {
    return call(call, scope, Optional.empty());
  }

  /// As the value of the call, with what a call block hands to a macro.
  Object call(Expression.Call call, Scope scope, Optional<Function> caller) {
    Object callee = value(call.of(), scope);
    List<Object> positional = all(call.arguments().positional(), scope);
    Map<String, Object> named = named(call.arguments(), scope);
    caller.ifPresent(function -> named.put("caller", function));
    Function function =
        switch (callee) {
          case Function found -> found;
          case Undefined undefined -> throw undefined.problem();
          case LoopState loop when loop.recursion().isPresent() -> loop.recursion().get();
          default -> throw new Problem("a " + Values.type(callee) + " cannot be called");
        };
    values.budget().enter();
    Object result = function.call(positional, named);
    values.budget().leave();
    return result;
  }

  private Object slice(Expression.Slice slice, Scope scope) {
    Object of = value(slice.of(), scope);
    Optional<Integer> from = bound(slice.from(), scope);
    Optional<Integer> to = bound(slice.to(), scope);
    int step = bound(slice.step(), scope).orElse(1);
    if (step == 0) {
      throw new Problem("the step of a slice must not be 0");
    }
    if (of instanceof Undefined undefined) {
      throw undefined.problem();
    }
    if (of instanceof Map<?, ?>) {
      return new Undefined("a slice of a dict");
    }
    List<Object> items = values.items(of);
    int size = items.size();
    int low = step > 0 ? 0 : -1;
    int high = step > 0 ? size : size - 1;
    int start =
        from.map(at -> Math.clamp(at < 0 ? at + size : at, low, high))
            .orElse(step > 0 ? low : high);
    int end =
        to.map(at -> Math.clamp(at < 0 ? at + size : at, low, high)).orElse(step > 0 ? high : low);
    List<Object> taken = new ArrayList<>();
    for (long i = start; step > 0 ? i < end : i > end; i += step) {
      taken.add(items.get((int) i));
    }
    return switch (of) {
      case String text -> {
        StringBuilder joined = new StringBuilder();
        taken.forEach(joined::append);
        yield values.budget().made(joined.toString());
      }
      case Tuple tuple -> new Tuple(taken);
      default -> taken;
    };
  }

  private Optional<Integer> bound(Optional<Expression> expression, Scope scope) {
    return expression
        .map(bound -> value(bound, scope))
        .filter(bound -> bound != None.NONE)
        .map(Values::index);
  }

  private Object binary(String operator, Object left, Object right) {
    if (operator.equals("~")) {
      return joined(values.text(left), values.text(right));
    }
    if (left instanceof Undefined undefined) {
      throw undefined.problem();
    }
    if (right instanceof Undefined undefined && !operator.equals("%")) {
      throw undefined.problem();
    }
    if (operator.equals("%") && left instanceof String pattern) {
      return formats.format(pattern, right);
    }
    if (operator.equals("+")) {
      if (left instanceof String text && right instanceof String other) {
        return joined(text, other);
      }
      if (left instanceof List<?> && right instanceof List<?>) {
        List<Object> joined = new ArrayList<>(values.items(left));
        joined.addAll(values.items(right));
        return joined;
      }
      if (left instanceof Tuple && right instanceof Tuple) {
        List<Object> joined = new ArrayList<>(values.items(left));
        joined.addAll(values.items(right));
        return new Tuple(joined);
      }
    }
    if (operator.equals("*") && !(Values.isNumber(left) && Values.isNumber(right))) {
      return Values.isNumber(left) ? repeated(right, left) : repeated(left, right);
    }
    if (!Values.isNumber(left) || !Values.isNumber(right)) {
      throw new Problem(
          "'%s' does not go with a %s and a %s"
              .formatted(operator, Values.type(left), Values.type(right)));
    }
    return PyNumbers.arithmetic(operator, left, right);
  }

  private String joined(String left, String right) {
    values.budget().characters(left.length() + (long) right.length());
    return left + right;
  }

  private Object repeated(Object value, Object count) {
    int times = Math.max(0, Values.index(count));
    if (value instanceof String text) {
      values.budget().characters((long) times * text.length());
      return text.repeat(times);
    }
    if (value instanceof List<?> list) {
      values.budget().steps((long) times * list.size());
      List<Object> repeated = new ArrayList<>();
      for (int i = 0; i < times && !list.isEmpty(); i++) {
        repeated.addAll(list);
      }
      return repeated;
    }
    throw new Problem("a " + Values.type(value) + " cannot be repeated");
  }

  private boolean comparison(Expression.Comparison comparison, Scope scope) {
    Object left = value(comparison.first(), scope);
    for (int i = 0; i < comparison.operators().size(); i++) {
      Object right = value(comparison.others().get(i), scope);
      boolean holds =
          switch (comparison.operators().get(i)) {
            case "==" -> values.equal(left, right);
            case "!=" -> !values.equal(left, right);
            case "<" -> values.compare(left, right) < 0;
            case "<=" -> values.compare(left, right) <= 0;
            case ">" -> values.compare(left, right) > 0;
            case ">=" -> values.compare(left, right) >= 0;
            case "in" -> values.contains(right, left);
            default -> !values.contains(right, left);
          };
      if (!holds) {
        return false;
      }
      left = right;
    }
    return true;
  }
}

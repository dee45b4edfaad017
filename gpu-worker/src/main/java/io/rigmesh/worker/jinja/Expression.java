package io.rigmesh.worker.jinja;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The expressions of the language, as parsed. Lines count from 1.
sealed interface Expression {
  int line();

  /// A value that stands in the template.
  record Literal(int line, Object value) implements Expression {}

  record Name(int line, String name) implements Expression {}

  record ListOf(int line, List<Expression> items) implements Expression {}

  record TupleOf(int line, List<Expression> items) implements Expression {}

  record DictOf(int line, List<Expression> keys, List<Expression> values) implements Expression {}

  /// `of.name`
  record Attribute(int line, Expression of, String name) implements Expression {}

  /// `of[index]`
  record Item(int line, Expression of, Expression index) implements Expression {}

  /// `of[from:to:step]`
  record Slice(
      int line,
      Expression of,
      Optional<Expression> from,
      Optional<Expression> to,
      Optional<Expression> step)
      implements Expression {}

  record Call(int line, Expression of, Arguments arguments) implements Expression {}

  /// `of | name(arguments)`; an empty `of` is the body of a filter block.
  record Filter(int line, Expression of, String name, Arguments arguments) implements Expression {}

  /// `of is name(arguments)`
  record Test(int line, Expression of, String name, Arguments arguments) implements Expression {}

  record Not(int line, Expression of) implements Expression {}

  /// `-of` or `+of`
  record Sign(int line, boolean negative, Expression of) implements Expression {}

  record And(int line, Expression left, Expression right) implements Expression {}

  record Or(int line, Expression left, Expression right) implements Expression {}

  /// An arithmetic operator, or `~`.
  record Binary(int line, String operator, Expression left, Expression right)
      implements Expression {}

  /// `first op second op third ...`, each operator holding between its neighbours.
  record Comparison(int line, Expression first, List<String> operators, List<Expression> others)
      implements Expression {}

  /// `then if condition else otherwise`
  record Conditional(
      int line, Expression condition, Expression then, Optional<Expression> otherwise)
      implements Expression {}

  /// What stands between the parentheses of a call.
  record Arguments(List<Expression> positional, Map<String, Expression> named) {
    static final Arguments NONE = new Arguments(List.of(), Map.of());
  }
}

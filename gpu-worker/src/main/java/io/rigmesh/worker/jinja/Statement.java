package io.rigmesh.worker.jinja;

import java.util.List;
import java.util.Optional;

/// The statements of the language, as parsed. Lines count from 1.
sealed interface Statement {
  int line();

  record Text(int line, String text) implements Statement {}

  record Output(int line, Expression expression) implements Statement {}

  record If(int line, List<Branch> branches, List<Statement> otherwise) implements Statement {}

  record Branch(Expression condition, List<Statement> body) {}

  record For(
      int line,
      Target target,
      Expression items,
      Optional<Expression> filter,
      List<Statement> body,
      List<Statement> otherwise,
      boolean recursive)
      implements Statement {}

  record Set(int line, Target target, Expression value) implements Statement {}

  /// `set` of what the body prints, through filters.
  record SetBlock(int line, Target target, List<FilterCall> filters, List<Statement> body)
      implements Statement {}

  record FilterBlock(int line, List<FilterCall> filters, List<Statement> body)
      implements Statement {}

  record FilterCall(int line, String name, Expression.Arguments arguments) {}

  record With(int line, List<String> names, List<Expression> values, List<Statement> body)
      implements Statement {}

  record Macro(int line, String name, List<Parameter> parameters, List<Statement> body)
      implements Statement {}

  record Parameter(String name, Optional<Expression> usual) {}

  record CallBlock(int line, List<Parameter> parameters, Expression.Call call, List<Statement> body)
      implements Statement {}

  /// Statements of one scope, such as those that transformers marks as the assistant's.
  record Group(int line, List<Statement> body) implements Statement {}

  record Break(int line) implements Statement {}

  record Continue(int line) implements Statement {}

  /// What is assigned to.
  sealed interface Target {
    record Variable(String name) implements Target {}

    /// `namespace.attribute`
    record Member(String namespace, String attribute) implements Target {}

    record Several(List<Target> targets) implements Target {}
  }
}

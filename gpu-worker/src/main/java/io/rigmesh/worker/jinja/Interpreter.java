package io.rigmesh.worker.jinja;

import io.rigmesh.worker.jinja.Statement.Target;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Runs the statements of a template once.
final class Interpreter {
  private final Values values;
  private final Evaluator evaluator;
  private StringBuilder out = new StringBuilder();

  /// How the statements of a body ended.
  private enum Flow {
    ON,
    BREAK,
    CONTINUE
  }

  Interpreter(Values values) {
    this.values = values;
    this.evaluator = new Evaluator(values);
  }

  String run(List<Statement> statements, Scope scope) {
    body(statements, scope);
    return out.toString();
  }

  private Flow body(List<Statement> statements, Scope scope) {
    for (Statement statement : statements) {
      Flow flow;
      try {
        values.budget().step();
        flow = run(statement, scope);
      } catch (Problem e) {
        throw e.at(statement.line());
      }
      if (flow != Flow.ON) {
        return flow;
      }
    }
    return Flow.ON;
  }

  private Flow run(Statement statement, Scope scope) {
    switch (statement) {
      case Statement.Text text -> print(text.text());
      case Statement.Output output ->
          print(values.text(evaluator.value(output.expression(), scope)));
      case Statement.If conditional -> {
        return run(conditional, scope);
      }
      case Statement.For loop -> loop(loop, evaluator.value(loop.items(), scope), scope, 0);
      case Statement.Set set -> assign(set.target(), evaluator.value(set.value(), scope), scope);
      case Statement.SetBlock set ->
          assign(
              set.target(),
              filtered(captured(set.body(), scope.inner()), set.filters(), scope),
              scope);
      case Statement.FilterBlock block ->
          print(
              values.text(filtered(captured(block.body(), scope.inner()), block.filters(), scope)));
      case Statement.With with -> {
        Scope inner = scope.inner();
        for (int i = 0; i < with.names().size(); i++) {
          inner.set(with.names().get(i), evaluator.value(with.values().get(i), inner));
        }
        return body(with.body(), inner);
      }
      case Statement.Macro macro ->
          scope.set(macro.name(), macro(macro.name(), macro.parameters(), macro.body(), scope));
      case Statement.CallBlock block -> {
        Function caller = macro("caller", block.parameters(), block.body(), scope);
        print(values.text(evaluator.call(block.call(), scope, Optional.of(caller))));
      }
      case Statement.Group group -> {
        return body(group.body(), scope);
      }
      case Statement.Break ignored -> {
        return Flow.BREAK;
      }
      case Statement.Continue ignored -> {
        return Flow.CONTINUE;
      }
    }
    return Flow.ON;
  }

  private Flow run(Statement.If conditional, Scope scope) {
    for (Statement.Branch branch : conditional.branches()) {
      if (Values.truth(evaluator.value(branch.condition(), scope))) {
        return body(branch.body(), scope);
      }
    }
    return body(conditional.otherwise(), scope);
  }

  private void print(String text) {
    values.budget().characters(text.length());
    out.append(text);
  }

  private String captured(List<Statement> statements, Scope scope) {
    StringBuilder outer = out;
    out = new StringBuilder();
    try {
      body(statements, scope);
      return out.toString();
    } finally {
      out = outer;
    }
  }

  private Object filtered(String text, List<Statement.FilterCall> filters, Scope scope) {
    Object value = text;
    for (Statement.FilterCall filter : filters) {
      value = evaluator.filter(filter.name(), value, filter.arguments(), scope);
    }
    return value;
  }

  private void loop(Statement.For loop, Object of, Scope scope, int depth) {
    List<Object> items = new ArrayList<>();
    for (Object item : values.items(of)) {
      if (loop.filter().isPresent()) {
        Scope inner = scope.inner();
        assign(loop.target(), item, inner);
        if (!Values.truth(evaluator.value(loop.filter().get(), inner))) {
          continue;
        }
      }
      items.add(item);
    }
    Optional<Function> recursion =
        loop.recursive()
            ? Optional.of((positional, named) -> {
              Object inner = new Given("loop", positional, named, "items").need("items");
              StringBuilder outer = out;
              out = new StringBuilder();
              try {
                loop(loop, inner, scope, depth + 1);
                return out.toString();
              } finally {
                out = outer;
              }
            })
            : Optional.empty();
    LoopState state = new LoopState(items, depth, recursion);
    for (int i = 0; i < items.size(); i++) {
      state.at(i);
      Scope inner = scope.inner();
      inner.set("loop", state);
      assign(loop.target(), items.get(i), inner);
      if (body(loop.body(), inner) == Flow.BREAK) {
        break;
      }
    }
    if (items.isEmpty()) {
      body(loop.otherwise(), scope.inner());
    }
  }

  private void assign(Target target, Object value, Scope scope) {
    switch (target) {
      case Target.Variable variable -> scope.set(variable.name(), value);
      case Target.Member member -> {
        if (!(scope.get(member.namespace()) instanceof Namespace namespace)) {
          throw new Problem(
              "'" + member.namespace() + "' is no namespace, so nothing in it can be set");
        }
        namespace.members().put(member.attribute(), value);
      }
      case Target.Several several -> {
        List<Object> parts = values.items(value);
        if (parts.size() != several.targets().size()) {
          throw new Problem(
              "%d values do not fit %d names".formatted(parts.size(), several.targets().size()));
        }
        for (int i = 0; i < parts.size(); i++) {
          assign(several.targets().get(i), parts.get(i), scope);
        }
      }
    }
  }

  private Function macro(
      String name, List<Statement.Parameter> parameters, List<Statement> body, Scope scope) {
    String[] names = parameters.stream().map(Statement.Parameter::name).toArray(String[]::new);
    return (positional, named) -> {
      Scope inner = scope.inner();
      Map<String, Object> rest = new java.util.LinkedHashMap<>(named);
      Object caller = rest.remove("caller");
      inner.set(
          "caller", caller == null ? new Undefined("'caller', outside a call block,") : caller);
      Given given = new Given(name, positional, rest, names);
      for (Statement.Parameter parameter : parameters) {
        Object value =
            given.get(parameter.name(), new Undefined("parameter '" + parameter.name() + "'"));
        if (value instanceof Undefined && parameter.usual().isPresent()) {
          value = evaluator.value(parameter.usual().get(), inner);
        }
        inner.set(parameter.name(), value);
      }
      return captured(body, inner);
    };
  }
}

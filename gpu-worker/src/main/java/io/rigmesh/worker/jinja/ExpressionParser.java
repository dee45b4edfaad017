package io.rigmesh.worker.jinja;

import io.rigmesh.worker.jinja.Expression.Arguments;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Parses expressions, with the precedence of Jinja's own parser: conditional, or, and, not,
/// comparisons, sums, `~`, products, powers, signs, then what is appended to a value.
final class ExpressionParser {
  private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");

  private final TokenStream stream;

  ExpressionParser(TokenStream stream) {
    this.stream = stream;
  }

  /// An expression, or several separated by commas as a tuple.
  Expression tupleOrOne() {
    int line = stream.line();
    Expression first = expression();
    if (!stream.current().operator(",")) {
      return first;
    }
    List<Expression> items = new ArrayList<>(List.of(first));
    while (stream.skipOperator(",")) {
      if (endsTuple()) {
        break;
      }
      items.add(expression());
    }
    return new Expression.TupleOf(line, List.copyOf(items));
  }

  private boolean endsTuple() {
    Token token = stream.current();
    return switch (token.kind()) {
      case BLOCK_END, VARIABLE_END, END -> true;
      case OPERATOR -> token.text().equals(")") || token.text().equals("=");
      default -> token.name("in");
    };
  }

  Expression expression() {
    stream.enter();
    int line = stream.line();
    Expression then = disjunction();
    while (stream.skipName("if")) {
      Expression condition = disjunction();
      Optional<Expression> otherwise =
          stream.skipName("else") ? Optional.of(expression()) : Optional.empty();
      then = new Expression.Conditional(line, condition, then, otherwise);
    }
    stream.leave();
    return then;
  }

  /// An expression that is not conditional: what a `for` iterates over, before its `if`.
  Expression disjunction() {
    int line = stream.line();
    Expression left = conjunction();
    while (stream.skipName("or")) {
      left = new Expression.Or(line, left, conjunction());
    }
    return left;
  }

  private Expression conjunction() {
    int line = stream.line();
    Expression left = negation();
    while (stream.skipName("and")) {
      left = new Expression.And(line, left, negation());
    }
    return left;
  }

  private Expression negation() {
    if (!stream.current().name("not")) {
      return comparison();
    }
    stream.enter();
    int line = stream.next().line();
    Expression negated = new Expression.Not(line, negation());
    stream.leave();
    return negated;
  }

  private Expression comparison() {
    int line = stream.line();
    Expression first = sum();
    List<String> operators = new ArrayList<>();
    List<Expression> others = new ArrayList<>();
    while (true) {
      Token token = stream.current();
      if (token.kind() == Token.Kind.OPERATOR && COMPARISONS.contains(token.text())) {
        operators.add(stream.next().text());
      } else if (stream.skipName("in")) {
        operators.add("in");
      } else if (token.name("not") && stream.following().name("in")) {
        stream.next();
        stream.next();
        operators.add("not in");
      } else {
        return operators.isEmpty()
            ? first
            : new Expression.Comparison(line, first, List.copyOf(operators), List.copyOf(others));
      }
      others.add(sum());
    }
  }

  private Expression sum() {
    int line = stream.line();
    Expression left = concatenation();
    while (stream.current().operator("+") || stream.current().operator("-")) {
      left = new Expression.Binary(line, stream.next().text(), left, concatenation());
    }
    return left;
  }

  private Expression concatenation() {
    int line = stream.line();
    Expression left = product();
    while (stream.skipOperator("~")) {
      left = new Expression.Binary(line, "~", left, product());
    }
    return left;
  }

  private Expression product() {
    int line = stream.line();
    Expression left = power();
    while (stream.current().operator("*")
        || stream.current().operator("/")
        || stream.current().operator("//")
        || stream.current().operator("%")) {
      left = new Expression.Binary(line, stream.next().text(), left, power());
    }
    return left;
  }

  private Expression power() {
    int line = stream.line();
    Expression left = unary(true);
    while (stream.skipOperator("**")) {
      left = new Expression.Binary(line, "**", left, unary(true));
    }
    return left;
  }

  private Expression unary(boolean withFilters) {
    stream.enter();
    Expression value;
    if (stream.current().operator("-") || stream.current().operator("+")) {
      Token sign = stream.next();
      value = new Expression.Sign(sign.line(), sign.text().equals("-"), unary(false));
    } else {
      value = primary();
    }
    value = postfix(value);
    if (withFilters) {
      value = filters(value);
    }
    stream.leave();
    return value;
  }

  private Expression primary() {
    Token token = stream.current();
    int line = token.line();
    switch (token.kind()) {
      case NAME -> {
        stream.next();
        return switch (token.text()) {
          case "true", "True" -> new Expression.Literal(line, true);
          case "false", "False" -> new Expression.Literal(line, false);
          case "none", "None" -> new Expression.Literal(line, None.NONE);
          default -> new Expression.Name(line, token.text());
        };
      }
      case STRING -> {
        StringBuilder text = new StringBuilder();
        while (stream.current().kind() == Token.Kind.STRING) {
          text.append(stream.next().text());
        }
        return new Expression.Literal(line, text.toString());
      }
      case INTEGER -> {
        stream.next();
        try {
          return new Expression.Literal(line, Long.parseLong(token.text()));
        } catch (NumberFormatException e) {
          throw new JinjaException(line, "the integer " + token.text() + " is too large");
        }
      }
      case FLOAT -> {
        stream.next();
        return new Expression.Literal(line, Double.parseDouble(token.text()));
      }
      case OPERATOR -> {
        return switch (token.text()) {
          case "(" -> parenthesis();
          case "[" -> new Expression.ListOf(line, items("[", "]"));
          case "{" -> dictionary();
          default -> throw stream.unexpected("a value");
        };
      }
      default -> throw stream.unexpected("a value");
    }
  }

  private Expression parenthesis() {
    int line = stream.next().line();
    if (stream.skipOperator(")")) {
      return new Expression.TupleOf(line, List.of());
    }
    Expression inner = tupleOrOne();
    stream.expectOperator(")");
    return inner;
  }

  private List<Expression> items(String open, String close) {
    stream.expectOperator(open);
    List<Expression> items = new ArrayList<>();
    while (!stream.skipOperator(close)) {
      if (!items.isEmpty()) {
        stream.expectOperator(",");
        if (stream.skipOperator(close)) {
          break;
        }
      }
      items.add(expression());
    }
    return List.copyOf(items);
  }

  private Expression dictionary() {
    int line = stream.next().line();
    List<Expression> keys = new ArrayList<>();
    List<Expression> values = new ArrayList<>();
    while (!stream.skipOperator("}")) {
      if (!keys.isEmpty()) {
        stream.expectOperator(",");
        if (stream.skipOperator("}")) {
          break;
        }
      }
      keys.add(expression());
      stream.expectOperator(":");
      values.add(expression());
    }
    return new Expression.DictOf(line, List.copyOf(keys), List.copyOf(values));
  }

  private Expression postfix(Expression start) {
    Expression value = start;
    while (true) {
      int line = stream.line();
      if (stream.skipOperator(".")) {
        Token token = stream.next();
        value =
            switch (token.kind()) {
              case NAME -> new Expression.Attribute(line, value, token.text());
              case INTEGER ->
                  new Expression.Item(
                      line, value, new Expression.Literal(line, Long.parseLong(token.text())));
              default -> throw new JinjaException(line, "expected a name behind '.'");
            };
      } else if (stream.skipOperator("[")) {
        value = subscript(line, value);
        stream.expectOperator("]");
      } else if (stream.current().operator("(")) {
        value = new Expression.Call(line, value, arguments());
      } else {
        return value;
      }
    }
  }

  private Expression subscript(int line, Expression of) {
    Optional<Expression> from =
        stream.current().operator(":") ? Optional.empty() : Optional.of(expression());
    if (!stream.skipOperator(":")) {
      return new Expression.Item(line, of, from.orElseThrow());
    }
    Optional<Expression> to = sliceEnd();
    Optional<Expression> step = stream.skipOperator(":") ? sliceEnd() : Optional.empty();
    return new Expression.Slice(line, of, from, to, step);
  }

  private Optional<Expression> sliceEnd() {
    return stream.current().operator(":") || stream.current().operator("]")
        ? Optional.empty()
        : Optional.of(expression());
  }

  private Expression filters(Expression start) {
    Expression value = start;
    while (true) {
      int line = stream.line();
      if (stream.skipOperator("|")) {
        value = new Expression.Filter(line, value, stream.name(), optionalArguments());
      } else if (stream.skipName("is")) {
        value = test(line, value);
      } else if (stream.current().operator("(")) {
        value = new Expression.Call(line, value, arguments());
      } else {
        return value;
      }
    }
  }

  private Expression test(int line, Expression value) {
    boolean negated = stream.skipName("not");
    String name = stream.name();
    Arguments arguments;
    Token token = stream.current();
    boolean operand =
        switch (token.kind()) {
          case STRING, INTEGER, FLOAT -> true;
          case NAME -> !Set.of("else", "or", "and", "if", "is", "in", "not").contains(token.text());
          case OPERATOR -> token.text().equals("[") || token.text().equals("{");
          default -> false;
        };
    if (token.operator("(")) {
      arguments = arguments();
    } else if (operand) {
      arguments = new Arguments(List.of(postfix(primary())), Map.of());
    } else {
      arguments = Arguments.NONE;
    }
    Expression test = new Expression.Test(line, value, name, arguments);
    return negated ? new Expression.Not(line, test) : test;
  }

  Arguments optionalArguments() {
    return stream.current().operator("(") ? arguments() : Arguments.NONE;
  }

  private Arguments arguments() {
    stream.expectOperator("(");
    List<Expression> positional = new ArrayList<>();
    Map<String, Expression> named = new LinkedHashMap<>();
    while (!stream.skipOperator(")")) {
      if (!positional.isEmpty() || !named.isEmpty()) {
        stream.expectOperator(",");
        if (stream.skipOperator(")")) {
          break;
        }
      }
      if (stream.current().kind() == Token.Kind.NAME && stream.following().operator("=")) {
        String name = stream.name();
        stream.next();
        if (named.putIfAbsent(name, expression()) != null) {
          throw stream.unexpected("every argument once, but " + name + " stands twice");
        }
      } else if (named.isEmpty()) {
        positional.add(expression());
      } else {
        throw stream.unexpected("named arguments behind a named one");
      }
    }
    return new Arguments(List.copyOf(positional), named);
  }
}

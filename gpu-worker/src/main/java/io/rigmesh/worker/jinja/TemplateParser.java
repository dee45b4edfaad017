package io.rigmesh.worker.jinja;

import io.rigmesh.worker.jinja.Statement.Target;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Parses a whole template. Statements that reach for other templates (`include`, `import`,
/// `extends`) are refused, as in transformers, where there are none.
final class TemplateParser {
  private final TokenStream stream;
  private final ExpressionParser expressions;
  private int loops;

  private TemplateParser(String source) {
    this.stream = new TokenStream(Lexer.tokens(source));
    this.expressions = new ExpressionParser(stream);
  }

  /// @throws JinjaException naming the line where the template is not what it should be
  static List<Statement> parse(String source) {
    TemplateParser parser = new TemplateParser(source);
    List<Statement> statements = parser.body(Set.of());
    if (parser.stream.current().kind() != Token.Kind.END) {
      throw parser.stream.unexpected("the end of the template");
    }
    return statements;
  }

  /// Statements up to a block that begins with one of the names, which stays the current token.
  private List<Statement> body(Set<String> ends) {
    stream.enter();
    List<Statement> statements = new ArrayList<>();
    while (true) {
      Token token = stream.current();
      switch (token.kind()) {
        case DATA -> {
          stream.next();
          statements.add(new Statement.Text(token.line(), token.text()));
        }
        case VARIABLE_BEGIN -> {
          stream.next();
          Expression expression = expressions.tupleOrOne();
          stream.expect(Token.Kind.VARIABLE_END, "'}}'");
          statements.add(new Statement.Output(token.line(), expression));
        }
        case BLOCK_BEGIN -> {
          stream.next();
          if (stream.current().kind() == Token.Kind.NAME
              && ends.contains(stream.current().text())) {
            stream.leave();
            return List.copyOf(statements);
          }
          statements.add(block(stream.expect(Token.Kind.NAME, "the name of a block")));
        }
        default -> {
          if (!ends.isEmpty()) {
            throw stream.unexpected("one of the blocks " + ends.stream().sorted().toList());
          }
          stream.leave();
          return List.copyOf(statements);
        }
      }
    }
  }

  private Statement block(Token name) {
    int line = name.line();
    return switch (name.text()) {
      case "if" -> conditional(line);
      case "for" -> loop(line);
      case "set" -> set(line);
      case "macro" -> macro(line);
      case "call" -> callBlock(line);
      case "filter" -> filterBlock(line);
      case "with" -> with(line);
      case "generation" -> {
        blockEnd();
        yield new Statement.Group(line, closedBody("endgeneration"));
      }
      case "break" -> {
        blockEnd();
        yield new Statement.Break(inLoop(line, "break"));
      }
      case "continue" -> {
        blockEnd();
        yield new Statement.Continue(inLoop(line, "continue"));
      }
      default -> throw new JinjaException(line, "there is no block '" + name.text() + "' here");
    };
  }

  private int inLoop(int line, String what) {
    if (loops == 0) {
      throw new JinjaException(line, "'" + what + "' stands outside a loop");
    }
    return line;
  }

  private void blockEnd() {
    stream.expect(Token.Kind.BLOCK_END, "'%}'");
  }

  private List<Statement> closedBody(String end) {
    List<Statement> body = body(Set.of(end));
    stream.expectName(end);
    blockEnd();
    return body;
  }

  private Statement conditional(int line) {
    List<Statement.Branch> branches = new ArrayList<>();
    List<Statement> otherwise = List.of();
    while (true) {
      Expression condition = expressions.tupleOrOne();
      blockEnd();
      branches.add(new Statement.Branch(condition, body(Set.of("elif", "else", "endif"))));
      if (stream.skipName("elif")) {
        continue;
      }
      if (stream.skipName("else")) {
        blockEnd();
        otherwise = body(Set.of("endif"));
      }
      stream.expectName("endif");
      blockEnd();
      return new Statement.If(line, List.copyOf(branches), otherwise);
    }
  }

  private Statement loop(int line) {
    Target target = target(false);
    stream.expectName("in");
    Expression items = expressionsOfLoop();
    Optional<Expression> filter =
        stream.skipName("if") ? Optional.of(expressions.expression()) : Optional.empty();
    boolean recursive = stream.skipName("recursive");
    blockEnd();
    loops++;
    List<Statement> body = body(Set.of("else", "endfor"));
    loops--;
    List<Statement> otherwise = List.of();
    if (stream.skipName("else")) {
      blockEnd();
      otherwise = body(Set.of("endfor"));
    }
    stream.expectName("endfor");
    blockEnd();
    return new Statement.For(line, target, items, filter, body, otherwise, recursive);
  }

  private Expression expressionsOfLoop() {
    int line = stream.line();
    Expression first = expressions.disjunction();
    if (!stream.current().operator(",")) {
      return first;
    }
    List<Expression> items = new ArrayList<>(List.of(first));
    while (stream.skipOperator(",")) {
      items.add(expressions.disjunction());
    }
    return new Expression.TupleOf(line, List.copyOf(items));
  }

  private Target target(boolean members) {
    List<Target> targets = new ArrayList<>();
    boolean several = false;
    do {
      if (several
          && stream.current().kind() != Token.Kind.NAME
          && !stream.current().operator("(")) {
        break;
      }
      if (stream.skipOperator("(")) {
        targets.add(target(members));
        stream.expectOperator(")");
      } else {
        String name = stream.name();
        targets.add(
            members && stream.skipOperator(".")
                ? new Target.Member(name, stream.name())
                : new Target.Variable(name));
      }
      several |= stream.current().operator(",");
    } while (stream.skipOperator(","));
    return several ? new Target.Several(List.copyOf(targets)) : targets.getFirst();
  }

  private Statement set(int line) {
    Target target = target(true);
    if (stream.skipOperator("=")) {
      Expression value = expressions.tupleOrOne();
      blockEnd();
      return new Statement.Set(line, target, value);
    }
    List<Statement.FilterCall> filters = new ArrayList<>();
    while (stream.skipOperator("|")) {
      filters.add(filterCall());
    }
    blockEnd();
    return new Statement.SetBlock(line, target, List.copyOf(filters), closedBody("endset"));
  }

  private Statement filterBlock(int line) {
    List<Statement.FilterCall> filters = new ArrayList<>();
    do {
      filters.add(filterCall());
    } while (stream.skipOperator("|"));
    blockEnd();
    return new Statement.FilterBlock(line, List.copyOf(filters), closedBody("endfilter"));
  }

  private Statement.FilterCall filterCall() {
    int line = stream.line();
    return new Statement.FilterCall(line, stream.name(), expressions.optionalArguments());
  }

  private Statement with(int line) {
    List<String> names = new ArrayList<>();
    List<Expression> values = new ArrayList<>();
    while (stream.current().kind() != Token.Kind.BLOCK_END) {
      if (!names.isEmpty()) {
        stream.expectOperator(",");
      }
      names.add(stream.name());
      stream.expectOperator("=");
      values.add(expressions.expression());
    }
    blockEnd();
    return new Statement.With(line, List.copyOf(names), List.copyOf(values), closedBody("endwith"));
  }

  private Statement macro(int line) {
    String name = stream.name();
    List<Statement.Parameter> parameters = parameters();
    blockEnd();
    return new Statement.Macro(line, name, parameters, outsideLoops("endmacro"));
  }

  private Statement callBlock(int line) {
    List<Statement.Parameter> parameters =
        stream.current().operator("(") ? parameters() : List.of();
    if (!(expressions.expression() instanceof Expression.Call call)) {
      throw new JinjaException(line, "a call block needs a call");
    }
    blockEnd();
    return new Statement.CallBlock(line, parameters, call, outsideLoops("endcall"));
  }

  private List<Statement> outsideLoops(String end) {
    int outer = loops;
    loops = 0;
    List<Statement> body = closedBody(end);
    loops = outer;
    return body;
  }

  private List<Statement.Parameter> parameters() {
    List<Statement.Parameter> parameters = new ArrayList<>();
    stream.expectOperator("(");
    while (!stream.skipOperator(")")) {
      if (!parameters.isEmpty()) {
        stream.expectOperator(",");
        if (stream.skipOperator(")")) {
          break;
        }
      }
      String name = stream.name();
      parameters.add(
          new Statement.Parameter(
              name,
              stream.skipOperator("=") ? Optional.of(expressions.expression()) : Optional.empty()));
    }
    return List.copyOf(parameters);
  }
}

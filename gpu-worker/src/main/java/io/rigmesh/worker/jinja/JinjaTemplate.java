package io.rigmesh.worker.jinja;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A parsed Jinja template, rendered as Hugging Face's transformers renders chat templates:
/// `trim_blocks` and `lstrip_blocks`, loop controls, nothing escaped, `raise_exception`,
/// `strftime_now`, `tojson` by Python's rules, and values that cannot be changed. Immutable, so
/// threads may share it.
///
/// It is an interpreter of its own because the Java implementations of Jinja there are differ from
/// Python's in what chat templates rely on, mostly without a word (methods of texts, negative steps
/// of slices, filtered loops). Debian's python3-jinja2 is what it is tested against. Nothing in a
/// template reaches a Java object, a file or another template; steps and characters are counted.
///
/// Source: jinja.palletsprojects.com, template designer documentation, version 3.1.
public final class JinjaTemplate {
  private static final int SOURCE_CHARACTERS_MAX = 1 << 20;
  private static final int INPUT_DEPTH_MAX = 64;

  private final List<Statement> statements;

  private JinjaTemplate(List<Statement> statements) {
    this.statements = statements;
  }

  /// What one rendering may take.
  ///
  /// @param stepsMax nodes evaluated and values visited
  /// @param charactersMax characters made, those of intermediate texts counted
  public record Limits(long stepsMax, long charactersMax) {
    /// Enough for the longest conversation a model takes, and less than a second's work.
    public static final Limits USUAL = new Limits(5_000_000, 64_000_000);
  }

  /// @throws JinjaException naming the line where the text is no template
  public static JinjaTemplate parse(String source) {
    if (source.length() > SOURCE_CHARACTERS_MAX) {
      throw new JinjaException(
          1, "the template has more than " + SOURCE_CHARACTERS_MAX + " characters");
    }
    return new JinjaTemplate(TemplateParser.parse(source));
  }

  /// The text that the template makes of variables.
  ///
  /// @param now what `strftime_now` calls now
  /// @throws JinjaException when something in it has no value, when it takes more than the limits,
  ///   or when it refuses the variables itself ([JinjaException#refusal])
  public String render(Map<String, JsonNode> variables, LocalDateTime now, Limits limits) {
    Values values = new Values(new Budget(limits.stepsMax(), limits.charactersMax()));
    Scope globals = Scope.root();
    new Globals(values, now).define(globals);
    Scope scope = globals.inner();
    variables.forEach((name, value) -> scope.set(name, value(value, 0)));
    return new Interpreter(values).run(statements, scope);
  }

  private static Object value(JsonNode node, int depth) {
    if (depth > INPUT_DEPTH_MAX) {
      throw new IllegalArgumentException(
          "The variables of a template are nested more than " + INPUT_DEPTH_MAX + " deep.");
    }
    return switch (node.getNodeType()) {
      case STRING -> node.textValue();
      case BOOLEAN -> node.booleanValue();
      case NUMBER ->
          node.isIntegralNumber() && node.canConvertToLong()
              ? (Object) node.longValue()
              : node.doubleValue();
      case ARRAY -> {
        List<Object> items = new ArrayList<>();
        node.forEach(item -> items.add(value(item, depth + 1)));
        yield items;
      }
      case OBJECT -> {
        Map<Object, Object> members = new LinkedHashMap<>();
        node.properties()
            .forEach(member -> members.put(member.getKey(), value(member.getValue(), depth + 1)));
        yield members;
      }
      case NULL, MISSING -> None.NONE;
      default ->
          throw new IllegalArgumentException(
              "A " + node.getNodeType() + " cannot be a variable of a template.");
    };
  }
}

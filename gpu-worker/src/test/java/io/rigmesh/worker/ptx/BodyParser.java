package io.rigmesh.worker.ptx;

import io.rigmesh.worker.ptx.PtxModule.Registers;
import io.rigmesh.worker.ptx.PtxModule.Variable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Parses the body of one entry point: declarations, labels and instructions, in nested scopes.
final class BodyParser {
  /// The names of a pair of braces; the outermost is the body itself.
  private static final class Scope {
    private final Optional<Scope> outer;
    private final Map<String, Operand.Register> registers = new HashMap<>();
    private final Map<String, Integer> labels = new HashMap<>();

    Scope(Optional<Scope> outer) {
      this.outer = outer;
    }

    Optional<Operand> find(String name) {
      if (registers.containsKey(name)) {
        return Optional.of(registers.get(name));
      }
      if (labels.containsKey(name)) {
        return Optional.of(new Operand.Label(name, labels.get(name)));
      }
      return outer.flatMap(scope -> scope.find(name));
    }
  }

  /// An instruction whose operands wait until all labels are known.
  private record Pending(int line, String text, Scope scope) {}

  private final Cursor cursor;
  private final String kernel;
  private final Map<String, Variable> variables = new LinkedHashMap<>();
  private final List<Pending> pending = new ArrayList<>();
  private int predicates;
  private int words;
  private int doubles;

  /// A parser of the text after the opening brace.
  BodyParser(Cursor cursor, String kernel) {
    this.cursor = cursor;
    this.kernel = kernel;
  }

  Map<String, Variable> variables() {
    return variables;
  }

  Registers registers() {
    return new Registers(predicates, words, doubles);
  }

  /// The instructions, to be asked for after [#parse].
  List<Instruction> instructions() {
    return pending.stream().map(this::instruction).toList();
  }

  void parse() {
    block(new Scope(Optional.empty()));
  }

  private void block(Scope scope) {
    while (!cursor.take('}')) {
      if (cursor.done()) {
        throw PtxException.at(cursor.line(), "the body of " + kernel + " has no end");
      }
      StringBuilder label = new StringBuilder();
      if (cursor.take('{')) {
        block(new Scope(Optional.of(scope)));
      } else if (cursor.takeLabel(label)) {
        scope.labels.put(label.toString(), pending.size());
      } else {
        statement(scope);
      }
    }
  }

  private void statement(Scope scope) {
    int line = cursor.line();
    if (cursor.take(';')) {
      return;
    }
    if (cursor.peek() != '.') {
      pending.add(new Pending(line, cursor.until(';').strip(), scope));
      return;
    }
    String word = cursor.word(".");
    switch (word) {
      case ".reg" -> declare(cursor.until(';'), line, scope);
      case ".pragma" -> cursor.until(';');
      case ".loc", ".file" -> cursor.restOfLine();
      case ".local", ".shared" -> {
        Variable variable = VariableParser.parse(word + cursor.until(';'), line);
        variables.put(variable.name(), variable);
      }
      default -> {
        if (word.startsWith(".local.") || word.startsWith(".shared.")) {
          throw PtxException.at(line, "\"" + word + "\" is not understood");
        }
        throw PtxException.at(line, "the interpreter does not know the directive \"" + word + "\"");
      }
    }
  }

  private void declare(String text, int line, Scope scope) {
    Cursor declaration = Cursor.over(text, line);
    String suffix = declaration.word(".").substring(1);
    ScalarType type =
        ScalarType.named(suffix)
            .orElseThrow(
                () -> PtxException.at(line, "registers of type " + suffix + " are not known"));
    do {
      String name = declaration.word("");
      if (declaration.take('<')) {
        int count = Integer.parseInt(declaration.word(""));
        declaration.expect('>');
        for (int i = 0; i < count; i++) {
          scope.registers.put(name + i, register(name + i, type));
        }
      } else {
        scope.registers.put(name, register(name, type));
      }
    } while (declaration.take(','));
  }

  private Operand.Register register(String name, ScalarType type) {
    int index = type == ScalarType.PRED ? predicates++ : type.wide() ? doubles++ : words++;
    return new Operand.Register(name, type, index);
  }

  private Instruction instruction(Pending statement) {
    int line = statement.line();
    Cursor text = Cursor.over(statement.text(), line);
    Optional<Instruction.Guard> guard = Optional.empty();
    if (text.take('@')) {
      boolean negated = text.take('!');
      String name = text.word("");
      if (!(statement.scope().find(name).orElse(new Operand.Sink())
          instanceof Operand.Register register)) {
        throw PtxException.at(line, "the guard " + name + " is not declared");
      }
      guard = Optional.of(new Instruction.Guard(register, negated));
    }
    String opcode = text.word(".:");
    List<Operand> operands =
        new OperandParser(text.done() ? "" : text.rest(), line, statement.scope()::find).all();
    return new Instruction(
        line,
        guard,
        List.of(opcode.split("\\.")),
        operands,
        statement.text().replaceAll("\\s+", " "));
  }
}

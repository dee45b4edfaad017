package io.rigmesh.worker.ptx;

import io.rigmesh.worker.ptx.PtxModule.Kernel;
import io.rigmesh.worker.ptx.PtxModule.Parameter;
import io.rigmesh.worker.ptx.PtxModule.Variable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Parses a PTX file: its variables and its entry points.
final class PtxParser {
  private final Cursor cursor;
  private final Map<String, Variable> variables = new LinkedHashMap<>();
  private final Map<String, Kernel> kernels = new LinkedHashMap<>();
  private String target = "";

  private PtxParser(String source) {
    this.cursor = new Cursor(source);
  }

  static PtxModule parse(String source) {
    PtxParser parser = new PtxParser(source);
    while (!parser.cursor.done()) {
      parser.directive();
    }
    return new PtxModule(parser.target, parser.variables, parser.kernels);
  }

  private void directive() {
    int line = cursor.line();
    String word = cursor.word(".");
    switch (word) {
      case ".version", ".address_size" -> cursor.restOfLine();
      case ".target" -> target = cursor.restOfLine().strip();
      case ".file", ".loc" -> cursor.restOfLine();
      case ".visible", ".weak", ".extern" -> {}
      case ".pragma" -> cursor.until(';');
      case ".entry" -> entry();
      case ".func" -> function();
      case ".global", ".const", ".shared" -> {
        Variable variable = VariableParser.parse(word + cursor.until(';'), line);
        variables.put(variable.name(), variable);
      }
      default ->
          throw PtxException.at(
              line, "the interpreter does not know the directive \"" + word + "\"");
    }
  }

  /// Functions that were not inlined are skipped: calling one is what is refused.
  private void function() {
    while (cursor.peek() != '{' && cursor.peek() != ';') {
      cursor.next();
    }
    if (cursor.next() == '{') {
      cursor.until('}');
    }
  }

  private void entry() {
    String name = cursor.word("");
    List<Parameter> parameters = new ArrayList<>();
    int bytes = 0;
    if (cursor.take('(') && !cursor.take(')')) {
      int line = cursor.line();
      for (String text : cursor.until(')').split(",")) {
        Variable parameter = VariableParser.parse(text.strip().replace(".param", ".global"), line);
        int align = parameter.alignment();
        int offset = (bytes + align - 1) / align * align;
        parameters.add(new Parameter(parameter.name(), offset, parameter.bytes()));
        bytes = offset + parameter.bytes();
      }
    }
    int threadsMax = 1024;
    while (!cursor.take('{')) {
      int line = cursor.line();
      String word = cursor.word(".");
      String numbers = cursor.word(" ,");
      switch (word) {
        case ".maxntid", ".reqntid" -> {
          threadsMax = 1;
          for (String number : numbers.split(",")) {
            threadsMax *= Integer.parseInt(number.strip());
          }
        }
        case ".minnctapersm", ".maxnreg", ".pragma" -> {}
        default ->
            throw PtxException.at(line, "the interpreter does not know \"" + word + "\" here");
      }
    }
    BodyParser body = new BodyParser(cursor, name);
    body.parse();
    kernels.put(
        name,
        new Kernel(
            name,
            parameters,
            bytes,
            threadsMax,
            body.registers(),
            body.variables(),
            body.instructions()));
  }
}

package io.rigmesh.worker.ptx;

import io.rigmesh.worker.ptx.PtxModule.Space;
import io.rigmesh.worker.ptx.PtxModule.Variable;
import java.util.Locale;
import java.util.Optional;

/// Parses a variable's declaration, for example `.const .align 4 .b8 TAB[32] = {0, 0, 128}`.
final class VariableParser {
  private VariableParser() {}

  static Variable parse(String text, int line) {
    Cursor cursor = Cursor.over(text, line);
    Space space = Space.valueOf(cursor.word(".").substring(1).toUpperCase(Locale.ROOT));
    int alignment = 0;
    int elementBytes = 0;
    while (true) {
      cursor.skipSpace();
      if (cursor.peek() != '.') {
        break;
      }
      String word = cursor.word(".").substring(1);
      if (word.equals("align")) {
        alignment = Integer.parseInt(cursor.word(""));
      } else if (!word.equals("ptr") && !word.equals("global")) {
        elementBytes =
            ScalarType.named(word)
                .orElseThrow(() -> PtxException.at(line, "\"" + word + "\" is not a type: " + text))
                .bytes();
      }
    }
    String name = cursor.word("");
    int count = 1;
    boolean external = false;
    while (cursor.take('[')) {
      String length = cursor.until(']').strip();
      external |= length.isEmpty();
      count *= length.isEmpty() ? 0 : Integer.parseInt(length);
    }
    byte[] initial = new byte[0];
    if (cursor.take('=')) {
      initial = initial(cursor, elementBytes, count, line);
    }
    return new Variable(
        name,
        space,
        alignment == 0 ? elementBytes : alignment,
        count * elementBytes,
        external,
        initial);
  }

  private static byte[] initial(Cursor cursor, int elementBytes, int count, int line) {
    byte[] bytes = new byte[elementBytes * count];
    String list = cursor.take('{') ? cursor.until('}') : cursor.restOfLine();
    int at = 0;
    for (String element : list.split(",")) {
      Operand value = new OperandParser(element.strip(), line, name -> Optional.empty()).single();
      if (!(value instanceof Operand.Immediate immediate)) {
        throw PtxException.at(line, "the initial value " + element.strip() + " is not a number");
      }
      long bits = immediate.as(elementBytes == 4 ? ScalarType.F32 : ScalarType.F64);
      for (int i = 0; i < elementBytes; i++) {
        bytes[at++] = (byte) (bits >>> (8 * i));
      }
    }
    return bytes;
  }
}

package io.rigmesh.worker.ptx;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/// Parses the operands of one instruction.
final class OperandParser {
  private final Cursor cursor;
  private final int line;
  private final Function<String, Optional<Operand>> names;

  /// @param names what a name that is no special register and no number stands for
  OperandParser(String text, int line, Function<String, Optional<Operand>> names) {
    this.cursor = Cursor.over(text, line);
    this.line = line;
    this.names = names;
  }

  /// All operands, which commas part.
  List<Operand> all() {
    List<Operand> operands = new ArrayList<>();
    if (cursor.done()) {
      return operands;
    }
    do {
      operands.add(one());
    } while (cursor.take(','));
    if (!cursor.done()) {
      throw PtxException.at(line, "something is left after the operands: " + cursor.restOfLine());
    }
    return operands;
  }

  /// The only operand.
  Operand single() {
    List<Operand> operands = all();
    if (operands.size() != 1) {
      throw PtxException.at(line, "one operand is expected");
    }
    return operands.getFirst();
  }

  private Operand one() {
    if (cursor.take('{')) {
      List<Operand> elements = new ArrayList<>();
      do {
        elements.add(one());
      } while (cursor.take(','));
      cursor.expect('}');
      return new Operand.Vector(elements);
    }
    if (cursor.take('[')) {
      return address();
    }
    if (cursor.take('!')) {
      return new Operand.Not(one());
    }
    Operand first = simple();
    if (cursor.take('|')) {
      return new Operand.Pair(first, simple());
    }
    if (first instanceof Operand.Symbol(String name, int offset) && cursor.take('+')) {
      return new Operand.Symbol(name, Math.addExact(offset, Math.toIntExact(integer())));
    }
    return first;
  }

  private Operand address() {
    Operand base = simple();
    long offset = 0;
    if (cursor.take('+')) {
      offset = integer();
    } else if (cursor.peek() == '-') {
      offset = integer();
    }
    List<Operand> coordinates = List.of();
    if (cursor.take(',')) {
      Operand list = one();
      if (!(list instanceof Operand.Vector(List<Operand> elements))) {
        throw PtxException.at(line, "coordinates are expected in braces");
      }
      coordinates = elements;
    }
    cursor.expect(']');
    return new Operand.Address(base, offset, coordinates);
  }

  private long integer() {
    Operand value = simple();
    if (value instanceof Operand.Immediate(long bits, ScalarType type) && type == ScalarType.B64) {
      return bits;
    }
    throw PtxException.at(line, "an integer is expected");
  }

  private Operand simple() {
    boolean negative = cursor.take('-');
    String word = cursor.word(".");
    if (word.isEmpty()) {
      throw PtxException.at(line, "an operand is expected before \"" + cursor.restOfLine() + "\"");
    }
    if (Character.isDigit(word.charAt(0)) || word.charAt(0) == '.') {
      if (word.matches("\\d.*[eE]") && (cursor.peek() == '+' || cursor.peek() == '-')) {
        word += cursor.next() + cursor.word("");
      }
      return number(word, negative);
    }
    if (negative) {
      throw PtxException.at(line, "-" + word + " is not a number");
    }
    if (word.equals("_")) {
      return new Operand.Sink();
    }
    String name = word;
    return names
        .apply(name)
        .orElseGet(
            () -> name.startsWith("%") ? new Operand.Special(name) : new Operand.Symbol(name, 0));
  }

  private Operand number(String word, boolean negative) {
    try {
      if (word.matches("0[fF][0-9a-fA-F]{8}")) {
        long bits = Long.parseUnsignedLong(word.substring(2), 16);
        return new Operand.Immediate(negative ? bits ^ 0x80000000L : bits, ScalarType.F32);
      }
      if (word.matches("0[dD][0-9a-fA-F]{16}")) {
        long bits = Long.parseUnsignedLong(word.substring(2), 16);
        return new Operand.Immediate(negative ? bits ^ Long.MIN_VALUE : bits, ScalarType.F64);
      }
      String digits = word.endsWith("U") ? word.substring(0, word.length() - 1) : word;
      if (digits.matches("0[xX][0-9a-fA-F]+")) {
        long bits = Long.parseUnsignedLong(digits.substring(2), 16);
        return new Operand.Immediate(negative ? -bits : bits, ScalarType.B64);
      }
      if (digits.matches("\\d+")) {
        long bits =
            digits.length() > 1 && digits.startsWith("0")
                ? Long.parseUnsignedLong(digits, 8)
                : Long.parseUnsignedLong(digits);
        return new Operand.Immediate(negative ? -bits : bits, ScalarType.B64);
      }
      double value = Double.parseDouble(word);
      return new Operand.Immediate(
          Double.doubleToRawLongBits(negative ? -value : value), ScalarType.F64);
    } catch (NumberFormatException e) {
      throw PtxException.at(line, "\"" + word + "\" is neither a name nor a number");
    }
  }
}

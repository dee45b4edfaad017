package io.rigmesh.worker.ptx;

import io.rigmesh.worker.ptx.PtxModule.Registers;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/// Gives every operand of a kernel a row of the warp's registers: declared registers, constants
/// (rows that are filled once) and special registers.
final class Assembler {
  private final Map<String, Long> symbols;
  private final Map<Integer, Integer> wordConstants = new HashMap<>();
  private final Map<Long, Integer> wideConstants = new HashMap<>();
  private final Map<String, Integer> specials = new LinkedHashMap<>();
  private int wordRows;
  private int wideRows;
  private int predicates;
  private boolean narrow;

  /// @param symbols the addresses of variables and parameters
  Assembler(Registers registers, Map<String, Long> symbols) {
    this.symbols = symbols;
    this.wordRows = registers.words();
    this.wideRows = registers.doubles();
    this.predicates = registers.predicates();
  }

  /// The row of a 32-bit (or narrower) operand that is read as `type`.
  int word(Instruction at, Operand operand, ScalarType type) {
    return switch (operand) {
      case Operand.Register register -> declared(at, register, false);
      case Operand.Immediate immediate -> wordConstant(narrow((int) immediate.as(type), type));
      case Operand.Symbol symbol -> wordConstant((int) address(at, symbol));
      case Operand.Special special -> special(special.name());
      default -> throw at.refused("an operand is neither a register nor a number");
    };
  }

  /// The row of a 64-bit operand that is read as `type`.
  int wide(Instruction at, Operand operand, ScalarType type) {
    return switch (operand) {
      case Operand.Register register -> declared(at, register, true);
      case Operand.Immediate immediate -> wideConstant(immediate.as(type));
      case Operand.Symbol symbol -> wideConstant(address(at, symbol));
      default -> throw at.refused("an operand is neither a 64-bit register nor a number");
    };
  }

  /// The row of an operand of `type`, 64-bit or not.
  int row(Instruction at, Operand operand, ScalarType type) {
    return type.wide() ? wide(at, operand, type) : word(at, operand, type);
  }

  /// The row of a result, which has to be a register; a sink gets a row that nobody reads.
  int result(Instruction at, Operand operand, ScalarType type) {
    return switch (operand) {
      case Operand.Register register -> declared(at, register, type.wide());
      case Operand.Sink ignored -> (type.wide() ? wideRows++ : wordRows++) * Warp.LANES;
      default -> throw at.refused("the result is no register");
    };
  }

  /// The index of a predicate that is read.
  int predicate(Instruction at, Operand operand) {
    if (operand instanceof Operand.Register register && register.type() == ScalarType.PRED) {
      return register.index();
    }
    if (operand instanceof Operand.Sink) {
      return predicates++;
    }
    throw at.refused("a predicate is expected");
  }

  /// The row of a constant.
  int wordConstant(int value) {
    return wordConstants.computeIfAbsent(value, ignored -> wordRows++) * Warp.LANES;
  }

  int wideConstant(long value) {
    return wideConstants.computeIfAbsent(value, ignored -> wideRows++) * Warp.LANES;
  }

  /// A fresh row that only the asker knows.
  int scratchWord() {
    return wordRows++ * Warp.LANES;
  }

  /// The address of a variable, a parameter or a place in one.
  long address(Instruction at, Operand.Symbol symbol) {
    Long address = symbols.get(symbol.name());
    if (address == null) {
      throw at.refused("nothing is called " + symbol.name());
    }
    return address + symbol.offset();
  }

  /// Notes that the kernel accesses pieces of memory of `bytes` bytes.
  void accesses(int bytes) {
    narrow |= bytes < 4;
  }

  boolean narrowAccess() {
    return narrow;
  }

  int predicates() {
    return predicates;
  }

  /// The rows of the special registers in use.
  Map<String, Integer> specials() {
    return specials;
  }

  /// All 32-bit rows, the constants filled in and the others with a pattern that catches the eye.
  int[] wordTemplate() {
    int[] rows = new int[wordRows * Warp.LANES];
    Arrays.fill(rows, 0xdeadbeef);
    wordConstants.forEach(
        (value, row) -> Arrays.fill(rows, row * Warp.LANES, (row + 1) * Warp.LANES, value));
    return rows;
  }

  /// All 64-bit rows, in the same way.
  long[] wideTemplate() {
    long[] rows = new long[wideRows * Warp.LANES];
    Arrays.fill(rows, 0xdeadbeefdeadbeefL);
    wideConstants.forEach(
        (value, row) -> Arrays.fill(rows, row * Warp.LANES, (row + 1) * Warp.LANES, value));
    return rows;
  }

  private static int declared(Instruction at, Operand.Register register, boolean wide) {
    if (register.type() == ScalarType.PRED || register.type().wide() != wide) {
      throw at.refused(register.name() + " is of another size than the instruction");
    }
    return register.index() * Warp.LANES;
  }

  private int special(String name) {
    return specials.computeIfAbsent(name, ignored -> wordRows++ * Warp.LANES);
  }

  private static int narrow(int value, ScalarType type) {
    return switch (type.bytes()) {
      case 1 -> value & 0xff;
      case 2 -> value & 0xffff;
      default -> value;
    };
  }
}

package io.rigmesh.worker.ptx;

import java.util.List;
import java.util.Optional;

/// One instruction of a kernel's body.
///
/// @param line its line in the PTX file, from 1
/// @param opcode the words between the dots; the first is the instruction's name
record Instruction(
    int line, Optional<Guard> guard, List<String> opcode, List<Operand> operands, String text) {

  /// `@p` or `@!p`.
  record Guard(Operand.Register predicate, boolean negated) {}

  String name() {
    return opcode.getFirst();
  }

  Operand operand(int index) {
    if (index >= operands.size()) {
      throw refused("it has fewer operands than the interpreter expects");
    }
    return operands.get(index);
  }

  /// What is thrown where the interpreter does not know an instruction or must not run it.
  PtxException refused(String why) {
    return PtxException.at(line, "`" + text + "`: " + why);
  }
}

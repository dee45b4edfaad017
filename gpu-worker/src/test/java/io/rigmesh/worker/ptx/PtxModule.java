package io.rigmesh.worker.ptx;

import java.util.List;
import java.util.Map;

/// A parsed PTX file.
///
/// @param target the architecture it is for, for example `sm_80`
/// @param variables the `.global`, `.const` and `.shared` variables of the file
/// @param kernels the entry points by name, in their order
record PtxModule(String target, Map<String, Variable> variables, Map<String, Kernel> kernels) {

  /// A variable in a state space.
  ///
  /// @param external declared without a size: dynamic shared memory
  /// @param initial its first bytes, the others are zero; empty in shared and local memory
  record Variable(
      String name, Space space, int alignment, int bytes, boolean external, byte[] initial) {}

  /// A parameter at its offset in the parameter block.
  record Parameter(String name, int offset, int bytes) {}

  /// The state spaces in which variables are declared.
  enum Space {
    GLOBAL,
    CONST,
    SHARED,
    LOCAL
  }

  /// An entry point.
  ///
  /// @param threadsMax the product of `.maxntid` or `.reqntid`, or 1024
  /// @param registers how many registers of each of the classes predicate, 32-bit and 64-bit
  /// @param variables the shared and local variables of the body
  record Kernel(
      String name,
      List<Parameter> parameters,
      int parameterBytes,
      int threadsMax,
      Registers registers,
      Map<String, Variable> variables,
      List<Instruction> body) {}

  /// How many registers of each class a kernel declares.
  record Registers(int predicates, int words, int doubles) {}
}

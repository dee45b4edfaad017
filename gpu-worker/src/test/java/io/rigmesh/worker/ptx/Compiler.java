package io.rigmesh.worker.ptx;

import io.rigmesh.worker.ptx.PtxModule.Kernel;
import io.rigmesh.worker.ptx.PtxModule.Parameter;
import io.rigmesh.worker.ptx.PtxModule.Space;
import io.rigmesh.worker.ptx.PtxModule.Variable;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Compiles a parsed kernel into operations on rows of registers.
final class Compiler {
  /// Makes the operation of an instruction of one name.
  @FunctionalInterface
  interface Builder {
    Op build(Instruction instruction, Assembler assembler);
  }

  private static final Map<String, Builder> BUILDERS = builders();

  private Compiler() {}

  /// @param variables the addresses of the module's global and constant variables
  static Program compile(PtxModule module, Kernel kernel, Map<String, Long> variables) {
    Map<String, Long> symbols = new HashMap<>(variables);
    for (Parameter parameter : kernel.parameters()) {
      symbols.put(parameter.name(), (long) parameter.offset());
    }
    List<Variable> shared = new ArrayList<>(of(module.variables().values(), Space.SHARED));
    shared.addAll(of(kernel.variables().values(), Space.SHARED));
    int sharedBytes = place(shared.stream().filter(v -> !v.external()).toList(), 0, symbols);
    for (Variable dynamic : shared.stream().filter(Variable::external).toList()) {
      // All dynamic variables begin at one place, as the hardware has it.
      sharedBytes = align(sharedBytes, Math.max(16, dynamic.alignment()));
    }
    for (Variable dynamic : shared.stream().filter(Variable::external).toList()) {
      symbols.put(dynamic.name(), (long) sharedBytes);
    }
    int localBytes = place(of(kernel.variables().values(), Space.LOCAL), 0, symbols);
    Assembler assembler = new Assembler(kernel.registers(), symbols);
    List<Op> code = new ArrayList<>();
    for (Instruction instruction : kernel.body()) {
      code.add(op(instruction, assembler));
    }
    return new Program(
        kernel, code.toArray(Op[]::new), assembler, sharedBytes, align(localBytes, 16));
  }

  private static Op op(Instruction instruction, Assembler assembler) {
    Builder builder = BUILDERS.get(instruction.name());
    if (builder == null) {
      throw instruction.refused("the interpreter does not know this instruction");
    }
    return builder.build(instruction, assembler);
  }

  private static List<Variable> of(Collection<Variable> variables, Space space) {
    return variables.stream().filter(variable -> variable.space() == space).toList();
  }

  private static int place(List<Variable> variables, int from, Map<String, Long> symbols) {
    int at = from;
    for (Variable variable : variables) {
      at = align(at, variable.alignment());
      symbols.put(variable.name(), (long) at);
      at += variable.bytes();
    }
    return at;
  }

  private static int align(int at, int alignment) {
    return (at + alignment - 1) / alignment * alignment;
  }

  private static Map<String, Builder> builders() {
    Map<String, Builder> builders = new HashMap<>();
    ArithmeticOps.addTo(builders);
    IntegerOps.addTo(builders);
    BitOps.addTo(builders);
    ConvertOps.addTo(builders);
    PredicateOps.addTo(builders);
    MoveOps.addTo(builders);
    MemoryOps.addTo(builders);
    AtomicOps.addTo(builders);
    ControlOps.addTo(builders);
    WarpOps.addTo(builders);
    MatrixOps.addTo(builders);
    AsyncOps.addTo(builders);
    return builders;
  }
}

package io.rigmesh.worker.ptx;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// A simulated GPU: memory, and kernels that are launched from PTX text.
///
/// Every launch is checked as a sanitizer would: accesses out of bounds, misaligned, to what was
/// never written, races. Not thread-safe.
public final class PtxDevice {
  private static final long INSTRUCTIONS_MAX = 2_000_000_000L;

  private final DeviceMemory memory = new DeviceMemory();
  private boolean backwards;
  private boolean distinct;
  private long launches;

  /// A loaded module.
  public static final class Module {
    private final PtxModule text;
    private final Map<String, Program> programs = new HashMap<>();

    private Module(PtxModule text) {
      this.text = text;
    }

    /// The names of the kernels.
    public List<String> kernels() {
      return List.copyOf(text.kernels().keySet());
    }

    /// The architecture that the text is for, for example `sm_80`.
    public String target() {
      return text.target();
    }

    private Program program(String kernel) {
      Program program = programs.get(kernel);
      if (program == null) {
        throw new PtxException("The module has no kernel " + kernel + ", only " + kernels());
      }
      return program;
    }
  }

  /// The simulated global memory.
  public DeviceMemory memory() {
    return memory;
  }

  /// Makes blocks and warps run in descending order instead of ascending; no result may change.
  public void backwards(boolean descending) {
    backwards = descending;
  }

  /// Makes launches count the different bytes that they read and write, which takes time.
  public void countDistinct() {
    distinct = true;
  }

  /// Parses and compiles a PTX file; what the interpreter does not know, or must not run, is a
  /// [PtxException] that shows it.
  public Module load(String source) {
    Module module = new Module(PtxParser.parse(source));
    Map<String, Long> variables = new HashMap<>();
    for (PtxModule.Variable variable : module.text.variables().values()) {
      if (variable.space() == PtxModule.Space.CONST) {
        byte[] contents = Arrays.copyOf(variable.initial(), variable.bytes());
        variables.put(
            variable.name(), memory.constant("constant " + variable.name(), contents).address());
      } else if (variable.space() == PtxModule.Space.GLOBAL) {
        DeviceBuffer buffer = memory.allocate("variable " + variable.name(), variable.bytes());
        buffer.write(0, Arrays.copyOf(variable.initial(), variable.bytes()));
        variables.put(variable.name(), buffer.address());
      }
    }
    module
        .text
        .kernels()
        .forEach((name, kernel) ->
            module.programs.put(name, Compiler.compile(module.text, kernel, variables)));
    return module;
  }

  /// Runs a kernel to its end. An argument is an Integer, a Long, a Float, a [DeviceBuffer] or the
  /// bytes of a structure.
  public LaunchCounts launch(
      Module module,
      String kernel,
      Extent grid,
      Extent block,
      int dynamicSharedBytes,
      Object... arguments) {
    Program program = module.program(kernel);
    if (block.count() > program.kernel().threadsMax()) {
      throw new PtxException(
          "Kernel "
              + kernel
              + " is for blocks of at most "
              + program.kernel().threadsMax()
              + " threads, not "
              + block.count());
    }
    byte[] parameters = parameters(program.kernel(), arguments);
    Launch launch =
        new Launch(
            program,
            memory,
            grid,
            block,
            dynamicSharedBytes,
            parameters,
            ++launches,
            backwards,
            distinct,
            INSTRUCTIONS_MAX);
    launch.run();
    return launch.counts();
  }

  private static byte[] parameters(PtxModule.Kernel kernel, Object... arguments) {
    if (arguments.length != kernel.parameters().size()) {
      throw new PtxException(
          "Kernel "
              + kernel.name()
              + " has "
              + kernel.parameters().size()
              + " parameters, not "
              + arguments.length);
    }
    ByteBuffer block = ByteBuffer.allocate(kernel.parameterBytes()).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < arguments.length; i++) {
      PtxModule.Parameter parameter = kernel.parameters().get(i);
      byte[] bytes = bytes(arguments[i]);
      if (bytes.length != parameter.bytes()) {
        throw new PtxException(
            "Parameter "
                + i
                + " of kernel "
                + kernel.name()
                + " has "
                + parameter.bytes()
                + " bytes, the argument "
                + arguments[i]
                + " has "
                + bytes.length);
      }
      block.put(parameter.offset(), bytes);
    }
    return block.array();
  }

  private static byte[] bytes(Object argument) {
    return switch (argument) {
      case Integer value -> buffer(4).putInt(value).array();
      case Float value -> buffer(4).putFloat(value).array();
      case Long value -> buffer(8).putLong(value).array();
      case DeviceBuffer value -> buffer(8).putLong(value.address()).array();
      case byte[] structure -> structure;
      default -> throw new PtxException("An argument is a " + argument.getClass());
    };
  }

  private static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}

package io.rigmesh.worker.cuda;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// What this build ships for CUDA devices: one PTX module per kernel source, as
/// `scripts/build-ptx.sh` wrote them and `manifest.json` lists them.
///
/// @param compiler such as `nvcc 13.0.88`
/// @param flags what nvcc was given, contraction off among them
/// @param modules in the order of their names
public record PtxManifest(String compiler, String flags, List<Module> modules) {
  private static final String MANIFEST = "manifest.json";

  /// Keeps a copy of the list.
  public PtxManifest {
    modules = List.copyOf(modules);
  }

  /// One source file and what became of it.
  ///
  /// @param name of the source without `.cu`, and of the PTX without `.ptx`
  /// @param architecture the least that it runs on, such as `compute_75`
  /// @param ptxVersion the PTX ISA, such as `9.0`, which the driver must know
  /// @param sourceSha256 of the source followed by every header, in the order of their names
  /// @param ptxSha256 of the PTX
  /// @param machine the machine code that the kernels' resources are of, such as `sm_90`
  /// @param kernels the entry points, by name
  public record Module(
      String name,
      String architecture,
      String ptxVersion,
      String sourceSha256,
      String ptxSha256,
      String machine,
      List<Kernel> kernels) {
    /// Keeps a copy of the list.
    public Module {
      kernels = List.copyOf(kernels);
    }

    /// The PTX, as text.
    public String ptx() {
      return resource(name + ".ptx");
    }
  }

  /// One entry point and what `ptxas -v` says that it takes.
  ///
  /// @param entry its name
  /// @param registers a thread's
  /// @param spillStoreBytes a thread's, to local memory
  /// @param spillLoadBytes a thread's, from local memory
  /// @param stackBytes a thread's
  /// @param sharedBytes a block's, without what a launch adds
  public record Kernel(
      String entry,
      int registers,
      int spillStoreBytes,
      int spillLoadBytes,
      int stackBytes,
      int sharedBytes) {}

  /// The manifest of this build.
  public static PtxManifest load() {
    try {
      JsonNode json = new ObjectMapper().readTree(resource(MANIFEST));
      List<Module> modules = new ArrayList<>();
      for (JsonNode module : json.required("modules")) {
        List<Kernel> kernels = new ArrayList<>();
        for (JsonNode kernel : module.required("kernels")) {
          kernels.add(
              new Kernel(
                  kernel.required("entry").asText(),
                  kernel.required("registers").asInt(),
                  kernel.required("spillStoreBytes").asInt(),
                  kernel.required("spillLoadBytes").asInt(),
                  kernel.required("stackBytes").asInt(),
                  kernel.required("sharedBytes").asInt()));
        }
        modules.add(
            new Module(
                module.required("name").asText(),
                module.required("architecture").asText(),
                module.required("ptxVersion").asText(),
                module.required("sourceSha256").asText(),
                module.required("ptxSha256").asText(),
                module.required("machine").asText(),
                kernels));
      }
      return new PtxManifest(
          json.required("compiler").asText(), json.required("flags").asText(), modules);
    } catch (IOException e) {
      throw new UncheckedIOException("the manifest of the CUDA kernels cannot be read", e);
    }
  }

  /// The module of a name.
  public Module module(String name) {
    return modules.stream()
        .filter(module -> module.name().equals(name))
        .findFirst()
        .orElseThrow(
            () -> new IllegalArgumentException("This build ships no CUDA module " + name + "."));
  }

  /// The module that holds an entry point; every entry point has a name of its own.
  public Module moduleOf(String entry) {
    return modules.stream()
        .filter(module -> module.kernels().stream().anyMatch(k -> k.entry().equals(entry)))
        .findFirst()
        .orElseThrow(
            () -> new IllegalArgumentException("This build ships no CUDA kernel " + entry + "."));
  }

  private static String resource(String name) {
    try (InputStream stream = PtxManifest.class.getResourceAsStream(name)) {
      if (stream == null) {
        throw new IllegalStateException(
            "This build carries no " + name + ": run scripts/build-ptx.sh and build again.");
      }
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException("the resource " + name + " cannot be read", e);
    }
  }
}

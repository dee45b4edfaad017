package io.rigmesh.worker.kernels.nativecode;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Optional;

/// The library, loaded once for the life of the process.
///
/// It is unpacked into a folder of its own under `java.io.tmpdir`, which only this user can open,
/// loaded and deleted again: the mapping keeps it. It asks for no other library, so it does not
/// matter which libc the system has.
sealed interface NativeLibrary {
  /// What came of loading it.
  NativeLibrary LOADED = load(platform(), Path.of(System.getProperty("java.io.tmpdir")));

  /// It is there.
  ///
  /// @param sets bit n stands for the instruction set of number n, bit [#FLOAT_WIDTHS] + n for the
  ///   width of number n of [FloatProducts]
  /// @param quantiseRows `rigmesh_quantise_rows`, which takes arrays
  /// @param byteProduct `rigmesh_byte_product`, which takes arrays
  /// @param floatProduct `rigmesh_float_product`, which takes arrays
  record Linked(
      int sets, MethodHandle quantiseRows, MethodHandle byteProduct, MethodHandle floatProduct)
      implements NativeLibrary {
    boolean has(InstructionSet set) {
      return (sets >> set.number() & 1) != 0;
    }

    boolean has(FloatProducts.Width width) {
      return (sets >> (FLOAT_WIDTHS + width.number()) & 1) != 0;
    }
  }

  /// Where the bits of the widths begin (`byte_product.c`).
  int FLOAT_WIDTHS = 8;

  /// It is not.
  ///
  /// @param reason one clause that says why
  record Failed(String reason) implements NativeLibrary {}

  /// Loads the build for a platform, unpacked below a folder.
  static NativeLibrary load(String platform, Path temporary) {
    try {
      Optional<NativeManifest.Library> library = NativeManifest.load().library(platform);
      return library.isPresent()
          ? link(library.get(), temporary)
          : new Failed("there is none for " + platform + " in this build");
    } catch (Throwable e) {
      // What a class initialiser throws nobody could act on, and the Vector API serves instead.
      return new Failed(
          "it could not be loaded from %s (%s); that folder must be writable, on a file system that allows programs, and Java started with --enable-native-access=ALL-UNNAMED"
              .formatted(temporary, e));
    }
  }

  @SuppressWarnings("restricted") // Loading native code is what this interface is for.
  private static NativeLibrary link(NativeManifest.Library library, Path temporary)
      throws Throwable {
    byte[] bytes = NativeManifest.resource(library.file());
    if (!sha256(bytes).equals(library.sha256())) {
      throw new IOException(library.file() + " is not the file that the manifest lists");
    }
    SymbolLookup symbols = unpackAndOpen(temporary, library.file(), bytes);
    Linker linker = Linker.nativeLinker();
    MethodHandle sets =
        linker.downcallHandle(
            symbols.findOrThrow("rigmesh_instruction_sets"), FunctionDescriptor.of(JAVA_INT));
    // Critical: arrays are handed over where they lie. The collector waits for the end of a call,
    // which takes a few milliseconds at most.
    Linker.Option critical = Linker.Option.critical(true);
    MethodHandle quantiseRows =
        linker.downcallHandle(
            symbols.findOrThrow("rigmesh_quantise_rows"),
            FunctionDescriptor.ofVoid(
                JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, ADDRESS, ADDRESS),
            critical);
    MethodHandle byteProduct =
        linker.downcallHandle(
            symbols.findOrThrow("rigmesh_byte_product"),
            FunctionDescriptor.of(
                JAVA_INT,
                new MemoryLayout[] {
                  JAVA_INT, ADDRESS, ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS, ADDRESS, ADDRESS,
                  ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG, ADDRESS
                }),
            critical);
    MethodHandle floatProduct =
        linker.downcallHandle(
            symbols.findOrThrow("rigmesh_float_product"),
            FunctionDescriptor.of(
                JAVA_INT,
                new MemoryLayout[] {
                  JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS,
                  JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, ADDRESS
                }),
            critical);
    return new Linked((int) sets.invokeExact(), quantiseRows, byteProduct, floatProduct);
  }

  @SuppressWarnings("restricted")
  private static SymbolLookup unpackAndOpen(Path temporary, String name, byte[] bytes)
      throws IOException {
    Path folder = Files.createTempDirectory(temporary, "rigmesh-native-");
    Path file = folder.resolve(name);
    try {
      Files.write(file, bytes);
      return SymbolLookup.libraryLookup(file, Arena.global());
    } finally {
      Files.deleteIfExists(file);
      Files.deleteIfExists(folder);
    }
  }

  /// This machine's, such as `linux-x86_64`.
  static String platform() {
    String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    String machine = System.getProperty("os.arch");
    return system.replace(' ', '-') + "-" + (machine.equals("amd64") ? "x86_64" : machine);
  }

  private static String sha256(byte[] bytes) throws NoSuchAlgorithmException {
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
  }
}

package io.rigmesh.worker.kernels.nativecode;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// Whether the library of machine code serves on this machine, found out once. Without it the
/// Vector API's loops compute the same bits, more slowly.
public sealed interface NativeCode {
  /// The system property that switches it off when it is `off`.
  String PROPERTY = "rigmesh.native-code";

  /// It serves.
  ///
  /// @param sets the instruction sets of this CPU that it has code for integer products for, the
  ///   fastest first
  /// @param floats the products of f32-v1 for each width of vectors that this CPU has, the widest
  ///   first
  record Present(List<InstructionSet> sets, List<FloatProducts> floats) implements NativeCode {
    /// Keeps copies of the lists.
    public Present {
      sets = List.copyOf(sets);
      floats = List.copyOf(floats);
    }

    /// The products of f32-v1 whose panels have so many columns.
    public Optional<FloatProducts> floats(int panel) {
      return floats.stream().filter(products -> products.panel() == panel).findFirst();
    }

    /// The products on all but the fastest instructions: for tests.
    public List<ByteProducts> slower() {
      return sets.stream().skip(1).map(ByteProducts::new).toList();
    }

    /// The products on the fastest instructions.
    public ByteProducts fastest() {
      return new ByteProducts(sets.getFirst());
    }
  }

  /// It does not.
  ///
  /// @param reason one clause that says why
  record Absent(String reason) implements NativeCode {}

  /// What is the case here. The first call loads the library.
  ///
  /// @throws IllegalArgumentException if the property is neither `on` nor `off`
  static NativeCode find() {
    return find(System.getProperty(PROPERTY, "on"));
  }

  /// As [#find()] where the property has that value.
  static NativeCode find(String setting) {
    if (!setting.equals("on") && !setting.equals("off")) {
      throw new IllegalArgumentException(
          "The property %s is '%s', but must be on or off.".formatted(PROPERTY, setting));
    }
    if (setting.equals("off")) {
      return new Absent("it is switched off");
    }
    return switch (NativeLibrary.LOADED) {
      case NativeLibrary.Failed failed -> new Absent(failed.reason());
      case NativeLibrary.Linked linked -> {
        List<InstructionSet> sets = new ArrayList<>();
        for (InstructionSet set : InstructionSet.values()) {
          if (linked.has(set)) {
            sets.add(set);
          }
        }
        List<FloatProducts> floats =
            Arrays.stream(FloatProducts.Width.values())
                .filter(linked::has)
                .map(FloatProducts::new)
                .toList();
        yield sets.isEmpty()
            ? new Absent("this CPU has neither AVX2 nor AVX-512 VNNI")
            : new Present(sets, floats);
      }
    };
  }
}

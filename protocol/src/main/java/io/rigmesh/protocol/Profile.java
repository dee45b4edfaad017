package io.rigmesh.protocol;

import java.util.Arrays;
import java.util.stream.Collectors;

/// A versioned definition of arithmetic, to the bit (docs/numerics.md). A released profile is never
/// edited.
public enum Profile {
  /// IEEE-754 binary32 throughout, with fixed orders of sums.
  F32_V1("f32-v1"),

  /// As f32-v1, but linear layers multiply 8-bit integers, exactly summed.
  I8_V1("i8-v1");

  private final String id;

  Profile(String id) {
    this.id = id;
  }

  /// The name in jobs and receipts.
  public String id() {
    return id;
  }

  /// The profile of that name.
  ///
  /// @throws MalformedException if there is none
  public static Profile of(String id) {
    return Arrays.stream(values())
        .filter(p -> p.id.equals(id))
        .findFirst()
        .orElseThrow(() ->
            new MalformedException(
                "profile is one of "
                    + Arrays.stream(values()).map(Profile::id).collect(Collectors.joining(", "))
                    + ", not '"
                    + id
                    + "'"));
  }

  @Override
  public String toString() {
    return id;
  }
}

package io.rigmesh.protocol;

/// A job is not taken, and why.
///
/// @param code for programs
/// @param sentence for people: what is wrong and what would help
public record Refusal(RefusalCode code, String sentence) {
  @Override
  public String toString() {
    return code.id() + ": " + sentence;
  }
}

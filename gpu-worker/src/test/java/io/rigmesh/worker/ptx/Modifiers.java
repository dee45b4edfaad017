package io.rigmesh.worker.ptx;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/// The words after an instruction's name, taken one by one by whoever knows what they mean, so that
/// a word nobody knows is found at the end.
final class Modifiers {
  private final Instruction instruction;
  private final List<String> left;

  Modifiers(Instruction instruction) {
    this.instruction = instruction;
    this.left = new ArrayList<>(instruction.opcode().subList(1, instruction.opcode().size()));
  }

  /// Takes `word` if it is there.
  boolean take(String word) {
    return left.remove(word);
  }

  /// Takes every word that is in `words`.
  void ignore(Set<String> words) {
    left.removeAll(words);
  }

  /// Takes the one of `words` that is there; one has to be.
  String oneOf(String... words) {
    for (String word : words) {
      if (left.remove(word)) {
        return word;
      }
    }
    throw instruction.refused("the interpreter expects one of " + Arrays.toString(words));
  }

  /// Takes the one of `words` that is there, or gives `otherwise`.
  String oneOfOr(String otherwise, String... words) {
    for (String word : words) {
      if (left.remove(word)) {
        return word;
      }
    }
    return otherwise;
  }

  /// Takes the first word that names a type; one has to be there.
  ScalarType type() {
    for (String word : left) {
      var type = ScalarType.named(word);
      if (type.isPresent()) {
        left.remove(word);
        return type.get();
      }
    }
    throw instruction.refused("the interpreter expects a type");
  }

  /// Fails if a word is left.
  void end() {
    if (!left.isEmpty()) {
      throw instruction.refused("the interpreter does not know " + left + " here");
    }
  }
}

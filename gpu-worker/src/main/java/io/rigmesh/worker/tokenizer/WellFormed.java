package io.rigmesh.worker.tokenizer;

/// Strings that can be written in UTF-8.
final class WellFormed {

  private static final char REPLACEMENT = '\uFFFD';

  private WellFormed() {}

  /// The text with every unpaired surrogate replaced by U+FFFD. The JNI strings that the library
  /// reads would otherwise spoil all supplementary characters of the text along with it.
  static String text(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (Character.isSurrogate(text.charAt(i))) {
        return repaired(text, i);
      }
    }
    return text;
  }

  private static String repaired(String text, int from) {
    StringBuilder repaired = new StringBuilder(text.length()).append(text, 0, from);
    for (int i = from; i < text.length(); i++) {
      char c = text.charAt(i);
      if (Character.isHighSurrogate(c)
          && i + 1 < text.length()
          && Character.isLowSurrogate(text.charAt(i + 1))) {
        repaired.append(c).append(text.charAt(++i));
      } else {
        repaired.append(Character.isSurrogate(c) ? REPLACEMENT : c);
      }
    }
    return repaired.toString();
  }
}

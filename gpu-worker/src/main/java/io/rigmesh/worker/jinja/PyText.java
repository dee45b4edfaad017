package io.rigmesh.worker.jinja;

/// What Python does to text: characters are code points, and whitespace is what Unicode calls so.
final class PyText {
  private PyText() {}

  /// As Python's `str.isspace` of one character.
  static boolean isSpace(int codePoint) {
    return switch (codePoint) {
      case '\t', '\n', 0x0b, '\f', '\r', 0x1c, 0x1d, 0x1e, 0x1f, ' ', 0x85, 0xa0 -> true;
      default ->
          codePoint > 0xff
              && (Character.getType(codePoint) == Character.SPACE_SEPARATOR
                  || codePoint == 0x2028
                  || codePoint == 0x2029);
    };
  }

  static String stripStart(String text) {
    int i = 0;
    while (i < text.length() && isSpace(text.codePointAt(i))) {
      i += Character.charCount(text.codePointAt(i));
    }
    return text.substring(i);
  }

  static String stripEnd(String text) {
    int end = text.length();
    while (end > 0 && isSpace(text.codePointBefore(end))) {
      end -= Character.charCount(text.codePointBefore(end));
    }
    return text.substring(0, end);
  }

  static String strip(String text) {
    return stripStart(stripEnd(text));
  }

  /// As [#stripStart(String)], of the characters given.
  static String stripStart(String text, String characters) {
    int i = 0;
    while (i < text.length() && characters.indexOf(text.codePointAt(i)) >= 0) {
      i += Character.charCount(text.codePointAt(i));
    }
    return text.substring(i);
  }

  /// As [#stripEnd(String)], of the characters given.
  static String stripEnd(String text, String characters) {
    int end = text.length();
    while (end > 0 && characters.indexOf(text.codePointBefore(end)) >= 0) {
      end -= Character.charCount(text.codePointBefore(end));
    }
    return text.substring(0, end);
  }

  /// How many characters there are.
  static int length(String text) {
    return text.codePointCount(0, text.length());
  }

  /// The first character large, all others small.
  static String capitalize(String text) {
    if (text.isEmpty()) {
      return text;
    }
    int first = text.offsetByCodePoints(0, 1);
    return new StringBuilder()
        .appendCodePoint(Character.toTitleCase(text.codePointAt(0)))
        .append(text.substring(first).toLowerCase(java.util.Locale.ROOT))
        .toString();
  }

  /// Every word's first letter large, all others small; a word begins behind whatever is no letter.
  static String title(String text) {
    StringBuilder out = new StringBuilder();
    boolean inWord = false;
    for (int c : text.codePoints().toArray()) {
      out.appendCodePoint(inWord ? Character.toLowerCase(c) : Character.toTitleCase(c));
      inWord = Character.isLetter(c);
    }
    return out.toString();
  }
}

package io.rigmesh.worker.task;

import io.rigmesh.worker.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.List;

/// The training text as one stream of tokens.
public final class TrainingText {
  /// The longest piece that is encoded at once.
  static final int PIECE_CHARS = 1 << 20;

  private TrainingText() {}

  /// The tokens of a text, without special ones. The text is encoded in pieces of at most 2^20
  /// UTF-16 units: a piece ends after the last line feed in it, or, where there is none, at its
  /// full length, one unit earlier if that would cut a character.
  public static int[] tokens(Tokenizer tokenizer, String text) {
    return tokens(tokenizer, text, PIECE_CHARS);
  }

  static int[] tokens(Tokenizer tokenizer, String text, int pieceChars) {
    List<int[]> pieces = new ArrayList<>();
    int count = 0;
    for (int from = 0; from < text.length(); ) {
      int to = end(text, from, pieceChars);
      int[] piece = tokenizer.encode(text.substring(from, to), false);
      pieces.add(piece);
      count = Math.addExact(count, piece.length);
      from = to;
    }
    int[] tokens = new int[count];
    int filled = 0;
    for (int[] piece : pieces) {
      System.arraycopy(piece, 0, tokens, filled, piece.length);
      filled += piece.length;
    }
    return tokens;
  }

  private static int end(String text, int from, int pieceChars) {
    if (text.length() - from <= pieceChars) {
      return text.length();
    }
    int to = from + pieceChars;
    int line = text.lastIndexOf('\n', to - 1);
    if (line >= from) {
      return line + 1;
    }
    return Character.isHighSurrogate(text.charAt(to - 1)) ? to - 1 : to;
  }
}

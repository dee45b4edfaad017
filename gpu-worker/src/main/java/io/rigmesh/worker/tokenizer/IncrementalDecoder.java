package io.rigmesh.worker.tokenizer;

import java.util.Arrays;

/// Turns tokens into text as they are generated. A character whose bytes are spread over several
/// tokens is held back until it is whole; the pieces joined are the text of all tokens decoded at
/// once. Not safe for use by several threads.
///
/// Only the tokens since the last whole piece are decoded again, so the cost of a token does not
/// grow with the text.
public final class IncrementalDecoder {

  private static final char REPLACEMENT = '\uFFFD';

  private final Tokenizer tokenizer;
  private final boolean skipSpecialTokens;
  private int[] ids = new int[16];
  private int count;

  /// How many of the ids have been given out already; they stay as context, because the text of a
  /// token can depend on the one before it.
  private int given;

  /// @param skipSpecialTokens whether special tokens are left out of the text
  public IncrementalDecoder(Tokenizer tokenizer, boolean skipSpecialTokens) {
    this.tokenizer = tokenizer;
    this.skipSpecialTokens = skipSpecialTokens;
  }

  /// Takes the next token and returns the text that it completes, often of one token, sometimes of
  /// none or several.
  public String append(int id) {
    if (count == ids.length) {
      ids = Arrays.copyOf(ids, 2 * count);
    }
    ids[count++] = id;
    return text(false);
  }

  /// The text still held back, to be called once at the end; an unfinished character comes out as
  /// U+FFFD.
  public String finish() {
    return text(true);
  }

  private String text(boolean last) {
    String before = tokenizer.decode(Arrays.copyOf(ids, given), skipSpecialTokens);
    String now = tokenizer.decode(Arrays.copyOf(ids, count), skipSpecialTokens);
    if (now.length() <= before.length() || (!last && now.charAt(now.length() - 1) == REPLACEMENT)) {
      return "";
    }
    String piece = now.substring(before.length());
    System.arraycopy(ids, given, ids, 0, count - given);
    count -= given;
    given = count;
    return piece;
  }
}

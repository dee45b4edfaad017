package io.rigmesh.worker.tokenizer;

/// The characters that stand for bytes in a byte-level vocabulary: printable Latin-1 bytes stand
/// for themselves, the other 68 bytes, in ascending order, for U+0100 and on.
///
/// Source: `bytes_to_unicode` of GPT-2, as Hugging Face's ByteLevel pre-tokenizer has it.
final class ByteAlphabet {

  private static final char[] CHARACTERS = new char[256];

  static {
    int next = 0x100;
    for (int b = 0; b < 256; b++) {
      boolean printable = (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
      CHARACTERS[b] = (char) (printable ? b : next++);
    }
  }

  private ByteAlphabet() {}

  /// The character of a byte, 0 to 255.
  static char character(int b) {
    return CHARACTERS[b];
  }
}

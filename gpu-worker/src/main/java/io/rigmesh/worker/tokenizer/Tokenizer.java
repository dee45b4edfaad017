package io.rigmesh.worker.tokenizer;

import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import io.rigmesh.worker.format.ModelFormatException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;

/// A Hugging Face `tokenizer.json`, run by the Hugging Face tokenizers library. It never pads,
/// whatever the file says, and truncates only to the length it was opened with, not to the file's
/// own. Safe for use by several threads.
public final class Tokenizer implements AutoCloseable {

  /// The longest text that is encoded at once; the library needs roughly a hundred times its size.
  public static final int TEXT_CHARS_MAX = 16 << 20;

  /// The shortest length to truncate to: room for the special tokens and some text.
  public static final int TOKENS_MIN = 8;

  private final TokenizersLibrary library;
  private final Path path;
  private final int vocabularySize;
  private final Map<String, Integer> addedTokens;
  private final ReadWriteLock lock = new ReentrantReadWriteLock();
  private long handle;

  private Tokenizer(TokenizersLibrary library, Path path, long handle, TokenizerFile file) {
    this.library = library;
    this.path = path;
    this.handle = handle;
    this.vocabularySize = file.vocabularySize();
    this.addedTokens = file.addedTokens();
  }

  /// Opens a tokenizer that never truncates.
  ///
  /// @throws ModelFormatException when the file is missing or malformed
  public static Tokenizer open(Path tokenizerJson) {
    return open(tokenizerJson, OptionalInt.empty());
  }

  /// Opens a tokenizer that keeps at most `tokensMax` tokens of a text, special tokens counted and
  /// kept.
  ///
  /// @param tokensMax at least [#TOKENS_MIN]
  /// @throws ModelFormatException when the file is missing or malformed
  public static Tokenizer openTruncating(Path tokenizerJson, int tokensMax) {
    if (tokensMax < TOKENS_MIN) {
      throw new IllegalArgumentException(
          "tokensMax is " + tokensMax + ", must be at least " + TOKENS_MIN);
    }
    return open(tokenizerJson, OptionalInt.of(tokensMax));
  }

  private static Tokenizer open(Path path, OptionalInt tokensMax) {
    TokenizerFile file = TokenizerFile.read(path);
    TokenizersLibrary library = NativeTokenizers.library();
    long handle;
    try {
      handle = library.createTokenizerFromString(file.json());
    } catch (RuntimeException e) {
      throw refused(path, "the tokenizers library refuses it: " + e.getMessage(), e);
    }
    library.disablePadding(handle);
    library.disableTruncation(handle);
    if (tokensMax.isPresent()) {
      library.setTruncation(handle, tokensMax.getAsInt(), "LONGEST_FIRST", 0);
    }
    return new Tokenizer(library, path, handle, file);
  }

  private static ModelFormatException refused(Path path, String problem, RuntimeException cause) {
    return new ModelFormatException(
        path.toString(), "tokenizer", ModelFormatException.NO_OFFSET, problem, cause);
  }

  /// One more than the highest token id: the rows that an embedding table needs.
  public int vocabularySize() {
    return vocabularySize;
  }

  /// The id of an added token such as `<|endoftext|>` or `[CLS]`, or empty when there is none of
  /// that text.
  public OptionalInt addedToken(String content) {
    @Nullable Integer id = addedTokens.get(content);
    return id == null ? OptionalInt.empty() : OptionalInt.of(id);
  }

  /// The ids of all added tokens by their text.
  public Map<String, Integer> addedTokens() {
    return addedTokens;
  }

  /// The token ids of a text.
  ///
  /// @param text unpaired surrogates in it count as U+FFFD
  /// @param specialTokens whether the file's template (`[CLS]` text `[SEP]`, say) is put around it
  /// @throws IllegalArgumentException when the text is longer than [#TEXT_CHARS_MAX]
  /// @throws ModelFormatException when the file has no token for a part of the text
  public int[] encode(String text, boolean specialTokens) {
    if (text.length() > TEXT_CHARS_MAX) {
      throw new IllegalArgumentException(
          "the text has "
              + text.length()
              + " characters, at most "
              + TEXT_CHARS_MAX
              + " are encoded at once; split it");
    }
    String wellFormed = WellFormed.text(text);
    Lock reading = lock.readLock();
    reading.lock();
    try {
      long encoding = encode(openHandle(), wellFormed, specialTokens);
      try {
        long[] ids = library.getTokenIds(encoding);
        int[] narrow = new int[ids.length];
        for (int i = 0; i < ids.length; i++) {
          narrow[i] = Math.toIntExact(ids[i]);
        }
        return narrow;
      } finally {
        library.deleteEncoding(encoding);
      }
    } finally {
      reading.unlock();
    }
  }

  /// The library refuses a text only when the file lacks something, for instance its own unknown
  /// token.
  private long encode(long open, String text, boolean specialTokens) {
    try {
      return library.encode(open, text, specialTokens);
    } catch (RuntimeException e) {
      throw refused(path, "cannot encode a text: " + e.getMessage(), e);
    }
  }

  /// The text of token ids. Bytes that are not UTF-8, for instance a character cut in half, come
  /// out as U+FFFD. Ids behind the vocabulary stand for nothing: tables of models are often padded,
  /// and a model may choose what is only padding.
  ///
  /// @param skipSpecialTokens whether special tokens are left out of the text
  /// @throws IllegalArgumentException when an id is negative
  public String decode(int[] ids, boolean skipSpecialTokens) {
    long[] wide = new long[ids.length];
    int count = 0;
    for (int i = 0; i < ids.length; i++) {
      if (ids[i] < 0) {
        throw new IllegalArgumentException("token " + ids[i] + " at index " + i + " is negative");
      }
      if (ids[i] < vocabularySize) {
        wide[count++] = ids[i];
      }
    }
    long[] known = Arrays.copyOf(wide, count);
    Lock reading = lock.readLock();
    reading.lock();
    try {
      return library.decode(openHandle(), known, skipSpecialTokens);
    } finally {
      reading.unlock();
    }
  }

  private long openHandle() {
    if (handle == 0) {
      throw new IllegalStateException("the tokenizer is closed");
    }
    return handle;
  }

  /// Frees the native tokenizer, after the calls that still run.
  @Override
  public void close() {
    Lock writing = lock.writeLock();
    writing.lock();
    try {
      if (handle != 0) {
        library.deleteTokenizer(handle);
        handle = 0;
      }
    } finally {
      writing.unlock();
    }
  }
}

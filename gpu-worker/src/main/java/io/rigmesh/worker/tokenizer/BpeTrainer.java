package io.rigmesh.worker.tokenizer;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/// Learns a byte-level BPE vocabulary from text. The bindings of the tokenizers library have no
/// trainer.
///
/// The rule, which alone decides the result: texts are cut into words by GPT-2's pattern; a
/// vocabulary starts with the special tokens, then the 256 bytes in the order of their characters;
/// then, until it is full, the pair of neighbours that stands in the text most often becomes a
/// token, the pair of lower ids (left first, then right) where two stand there equally often.
/// Neither threads nor hash orders have a say. It is the rule of Hugging Face's own trainer, and
/// gives the same merges.
public final class BpeTrainer {

  /// The fewest and the most tokens that a vocabulary may have, beside its special tokens.
  public static final int TOKENS_MIN = 256;

  /// See [#TOKENS_MIN].
  public static final int TOKENS_MAX = 1 << 20;

  /// Longer words, for instance encoded data without spaces, are learnt from in pieces, so that
  /// time stays bounded.
  private static final int WORD_BYTES_MAX = 1024;

  private static final Pattern WORD =
      Pattern.compile(
          "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
          Pattern.UNICODE_CHARACTER_CLASS);

  private final int vocabularySize;
  private final int frequencyMin;
  private final List<String> specialTokens;

  /// Texts are gathered here as words with how often each stands in them.
  private final Map<String, int[]> frequencies = new HashMap<>();

  /// @param vocabularySize how many tokens are wanted, special ones included
  /// @param frequencyMin how often a pair must stand in the text to become a token; at least 1,
  ///   usually 2
  /// @param specialTokens tokens that text never gives, for instance `<|endoftext|>`; they get the
  ///   ids from 0 on
  public BpeTrainer(int vocabularySize, int frequencyMin, List<String> specialTokens) {
    if (specialTokens.stream().distinct().count() != specialTokens.size()
        || specialTokens.stream().anyMatch(String::isEmpty)) {
      throw new IllegalArgumentException("special tokens must differ and not be empty");
    }
    int learnt = vocabularySize - specialTokens.size();
    if (learnt < TOKENS_MIN || learnt > TOKENS_MAX) {
      throw new IllegalArgumentException(
          "vocabularySize is "
              + vocabularySize
              + ", must leave from "
              + TOKENS_MIN
              + " to "
              + TOKENS_MAX
              + " tokens beside the special ones");
    }
    if (frequencyMin < 1) {
      throw new IllegalArgumentException(
          "frequencyMin is " + frequencyMin + ", must be at least 1");
    }
    this.vocabularySize = vocabularySize;
    this.frequencyMin = frequencyMin;
    this.specialTokens = List.copyOf(specialTokens);
  }

  /// Adds one text to learn from. No pair spans two texts.
  public BpeTrainer add(String text) {
    Matcher matcher = WORD.matcher(WellFormed.text(text));
    while (matcher.find()) {
      frequencies.computeIfAbsent(matcher.group(), word -> new int[1])[0]++;
    }
    return this;
  }

  /// Learns the vocabulary. It has fewer tokens than wanted when the text has too few pairs that
  /// stand in it often enough.
  public BpeVocabulary train() {
    BpeVocabulary.Builder vocabulary = new BpeVocabulary.Builder(specialTokens);
    int[] idOfByte = new int[256];
    IntStream.range(0, 256)
        .boxed()
        .sorted(java.util.Comparator.comparingInt(ByteAlphabet::character))
        .forEach(b -> idOfByte[b] = vocabulary.token(String.valueOf(ByteAlphabet.character(b))));
    Words words = words(idOfByte);
    PairTable pairs = new PairTable();
    words.countPairs(pairs);
    PriorityQueue<Candidate> queue = new PriorityQueue<>();
    pairs.forEach((pair, count) -> queue.add(new Candidate(pair, count)));

    while (vocabulary.size() < vocabularySize) {
      Candidate best = queue.poll();
      if (best == null) {
        break;
      }
      long count = pairs.count(best.pair());
      if (count != best.count()) {
        queue.add(new Candidate(best.pair(), count));
        continue;
      }
      if (count < frequencyMin) {
        break;
      }
      int merged = vocabulary.merge(PairTable.left(best.pair()), PairTable.right(best.pair()));
      pairs.startRound();
      words.merge(best.pair(), merged, pairs);
      pairs.forEachGrown((pair, grown) -> queue.add(new Candidate(pair, grown)));
    }
    return vocabulary.build();
  }

  private Words words(int[] idOfByte) {
    Words words = new Words();
    frequencies.forEach((word, frequency) -> {
      byte[] bytes = word.getBytes(UTF_8);
      for (int from = 0; from < bytes.length; from += WORD_BYTES_MAX) {
        int to = Math.min(bytes.length, from + WORD_BYTES_MAX);
        int[] symbols = new int[to - from];
        for (int i = from; i < to; i++) {
          symbols[i - from] = idOfByte[bytes[i] & 0xFF];
        }
        words.add(symbols, frequency[0]);
      }
    });
    return words;
  }

  /// A pair with its count as of when it was queued; a higher count first, then lower ids.
  private record Candidate(long pair, long count) implements Comparable<Candidate> {
    @Override
    public int compareTo(Candidate other) {
      int byCount = Long.compare(other.count, count);
      return byCount != 0 ? byCount : Long.compare(pair, other.pair);
    }
  }

  /// The distinct words of the text as token ids, each with how often it stands there.
  private static final class Words {
    private final List<int[]> symbols = new ArrayList<>();
    private int[] frequencies = new int[1024];

    void add(int[] word, int frequency) {
      if (symbols.size() == frequencies.length) {
        frequencies = Arrays.copyOf(frequencies, 2 * frequencies.length);
      }
      frequencies[symbols.size()] = frequency;
      symbols.add(word);
    }

    void countPairs(PairTable pairs) {
      for (int w = 0; w < symbols.size(); w++) {
        int[] word = symbols.get(w);
        for (int i = 0; i + 1 < word.length; i++) {
          pairs.add(PairTable.pair(word[i], word[i + 1]), frequencies[w], w);
        }
      }
    }

    /// Puts the merged token in place of every occurrence of the pair, left to right, and keeps the
    /// counts.
    void merge(long pair, int merged, PairTable pairs) {
      int left = PairTable.left(pair);
      int right = PairTable.right(pair);
      for (int w : pairs.takeWords(pair)) {
        int[] word = symbols.get(w);
        int frequency = frequencies[w];
        int length = 0;
        for (int i = 0; i < word.length; i++) {
          if (i + 1 < word.length && word[i] == left && word[i + 1] == right) {
            if (length > 0) {
              pairs.subtract(PairTable.pair(word[length - 1], left), frequency);
              pairs.add(PairTable.pair(word[length - 1], merged), frequency, w);
            }
            if (i + 2 < word.length) {
              pairs.subtract(PairTable.pair(right, word[i + 2]), frequency);
              pairs.add(PairTable.pair(merged, word[i + 2]), frequency, w);
            }
            word[length++] = merged;
            i++;
          } else {
            word[length++] = word[i];
          }
        }
        if (length < word.length) {
          symbols.set(w, Arrays.copyOf(word, length));
        }
      }
    }
  }
}

package io.rigmesh.worker.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.worker.tokenizer.BpeVocabulary.Merge;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BpeTrainerTest {

  @TempDir Path folder;

  @Test
  void theMostFrequentPairIsMergedFirstAndTiesGoToTheLowerIds() {
    BpeVocabulary vocabulary =
        new BpeTrainer(256 + 5, 2, List.of()).add("ab ab ab cd cd ef ef").train();
    // " a", "ab" three times each: the space's character U+0120 has a higher id than "a".
    assertThat(vocabulary.merges())
        .containsExactly(
            new Merge("a", "b"),
            new Merge("c", "d"),
            new Merge("e", "f"),
            new Merge("Ġ", "ab"),
            new Merge("Ġ", "cd"));
  }

  @Test
  void aVocabularyEndsEarlyWhenNoPairIsFrequentEnough() {
    BpeVocabulary vocabulary = new BpeTrainer(1000, 2, List.of("<s>")).add("abc").train();
    assertThat(vocabulary.size()).isEqualTo(257);
    assertThat(vocabulary.merges()).isEmpty();
  }

  @Test
  void runsOfOneCharacterAreMergedFromTheLeft() {
    BpeVocabulary vocabulary = new BpeTrainer(256 + 3, 1, List.of()).add("aaaaa").train();
    assertThat(vocabulary.tokens().subList(256, 259)).containsExactly("aa", "aaa", "aaaaa");
  }

  @Test
  void theLibraryLoadsTheFileAndGivesEveryTextBack() {
    String text = "The quick brown fox jumps over the lazy dog. ".repeat(50) + "naïve café 😀 東京";
    BpeVocabulary vocabulary = new BpeTrainer(400, 2, List.of("<|endoftext|>")).add(text).train();
    assertThat(vocabulary.size())
        .isEqualTo(new java.util.HashSet<>(vocabulary.tokens()).size() + 1);
    Path file = folder.resolve("tokenizer.json");
    vocabulary.write(file);
    try (Tokenizer tokenizer = Tokenizer.open(file)) {
      assertThat(tokenizer.vocabularySize()).isEqualTo(vocabulary.size());
      assertThat(tokenizer.addedToken("<|endoftext|>")).hasValue(0);
      int[] ids = tokenizer.encode("The quick brown fox", true);
      assertThat(ids.length).isLessThan(8);
      assertThat(tokenizer.decode(ids, true)).isEqualTo("The quick brown fox");
      String unseen = "x̂ \0 \r\n\t 🏳️‍🌈 ქართული <|endoftext|> end";
      assertThat(tokenizer.decode(tokenizer.encode(unseen, true), false)).isEqualTo(unseen);
      assertThat(tokenizer.encode("<|endoftext|>", false)).containsExactly(0);
    }
  }

  @Test
  void theOrderOfTheTextsDoesNotMatterAndTheFileIsTheSameBytes() throws IOException {
    Path one = folder.resolve("one.json");
    Path two = folder.resolve("two.json");
    new BpeTrainer(500, 2, List.of("<s>")).add(prose(1)).add(prose(2)).train().write(one);
    new BpeTrainer(500, 2, List.of("<s>")).add(prose(2)).add(prose(1)).train().write(two);
    assertThat(Files.readAllBytes(one)).isEqualTo(Files.readAllBytes(two));
  }

  @Test
  void twoMegabytesGiveTwoThousandTokensWithinFiveSeconds() {
    StringBuilder text = new StringBuilder();
    for (int seed = 0; text.length() < 2_000_000; seed++) {
      text.append(prose(seed));
    }
    long start = cpuNanos();
    BpeVocabulary vocabulary =
        new BpeTrainer(2048, 2, List.of("<|endoftext|>")).add(text.toString()).train();
    Duration spent = Duration.ofNanos(cpuNanos() - start);
    assertThat(vocabulary.size()).isEqualTo(2048);
    assertThat(spent).isLessThan(Duration.ofSeconds(5));
  }

  @Test
  void aLongWordWithoutSpacesStaysBounded() {
    Random random = new Random(7);
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 500_000; i++) {
      text.append((char) ('a' + random.nextInt(26)));
    }
    long start = cpuNanos();
    assertThat(new BpeTrainer(1000, 2, List.of()).add(text.toString()).train().size())
        .isEqualTo(1000);
    // Measured in 0.8 s; what grows with the square of the length would take minutes.
    assertThat(Duration.ofNanos(cpuNanos() - start)).isLessThan(Duration.ofSeconds(30));
  }

  @Test
  void aVocabularyWithoutRoomForTheBytesIsRefused() {
    assertThatThrownBy(() -> new BpeTrainer(256, 2, List.of("<s>")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("vocabularySize is 256");
  }

  /// The thread's own clock: other processes on the machine must not fail the test.
  private static long cpuNanos() {
    return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
  }

  /// Words of a made-up language with a frequency like that of a natural one, 20 to 30 KB.
  private static String prose(int seed) {
    Random random = new Random(seed);
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 4000; i++) {
      Random word = new Random((long) (Math.pow(random.nextDouble(), 4) * 20_000));
      text.append(' ');
      for (int syllable = word.nextInt(4); syllable >= 0; syllable--) {
        text.append("bcdfghklmnprst".charAt(word.nextInt(14)));
        text.append("aeiou".charAt(word.nextInt(5)));
      }
    }
    return text.append(".\n").toString();
  }
}

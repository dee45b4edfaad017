package io.rigmesh.worker.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.worker.format.ModelFormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.StringLength;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;

class TokenizerPropertyTest {

  private static Path file = Path.of("");

  @BeforeContainer
  static void trainATokenizer() throws IOException {
    file = Files.createTempFile("tokenizer", ".json");
    new BpeTrainer(300, 1, List.of("<|endoftext|>"))
        .add("the cat sat on the mat 😀😀")
        .train()
        .write(file);
  }

  @AfterContainer
  static void removeIt() throws IOException {
    Files.delete(file);
  }

  @Property(tries = 500)
  void everyTextComesBackFromItsTokens(@ForAll @StringLength(max = 100) String text) {
    try (Tokenizer tokenizer = Tokenizer.open(file)) {
      int[] ids = tokenizer.encode(text, true);
      assertThat(tokenizer.decode(ids, false)).isEqualTo(WellFormed.text(text));
    }
  }

  @Property(tries = 300)
  void thePiecesOfAStreamJoinToTheWholeText(@ForAll @StringLength(max = 60) String text) {
    try (Tokenizer tokenizer = Tokenizer.open(file)) {
      int[] ids = tokenizer.encode(text + "é東😀", true);
      IncrementalDecoder decoder = new IncrementalDecoder(tokenizer, false);
      StringBuilder joined = new StringBuilder();
      for (int id : ids) {
        joined.append(decoder.append(id));
      }
      assertThat(joined.append(decoder.finish()).toString())
          .isEqualTo(WellFormed.text(text) + "é東😀");
    }
  }

  @Property(tries = 500)
  void aStreamOfArbitraryTokensJoinsToTheWholeText(@ForAll long seed) {
    try (Tokenizer tokenizer = Tokenizer.open(file)) {
      int[] ids = new Random(seed).ints(40, 1, tokenizer.vocabularySize()).toArray();
      IncrementalDecoder decoder = new IncrementalDecoder(tokenizer, false);
      StringBuilder joined = new StringBuilder();
      for (int id : ids) {
        joined.append(decoder.append(id));
      }
      assertThat(joined.append(decoder.finish()).toString())
          .isEqualTo(tokenizer.decode(ids, false));
    }
  }

  @Property(tries = 500)
  void aMutatedFileIsEitherReadOrRefusedPrecisely(
      @ForAll long seed, @ForAll @IntRange(min = 1, max = 5) int mutations) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    Random random = new Random(seed);
    for (int i = 0; i < mutations; i++) {
      bytes[random.nextInt(bytes.length)] = (byte) (32 + random.nextInt(95));
    }
    if (random.nextInt(10) == 0) {
      bytes = Arrays.copyOf(bytes, random.nextInt(bytes.length));
    }
    Path mutated = Files.createTempFile("mutated", ".json");
    try {
      Files.write(mutated, bytes);
      try (Tokenizer tokenizer = Tokenizer.open(mutated)) {
        assertThat(tokenizer.vocabularySize()).isPositive();
      } catch (ModelFormatException e) {
        assertThat(e.file()).isEqualTo(mutated.toString());
      }
    } finally {
      Files.delete(mutated);
    }
  }
}

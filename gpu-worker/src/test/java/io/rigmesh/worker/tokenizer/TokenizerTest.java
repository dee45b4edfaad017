package io.rigmesh.worker.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.worker.format.ModelFormatException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenizerTest {

  @TempDir static Path folder;
  private static Path miniLm = Path.of("");

  @BeforeAll
  static void copyTheRealTokenizer() throws IOException {
    miniLm = folder.resolve("tokenizer.json");
    try (InputStream in =
        TokenizerTest.class.getResourceAsStream("/all-minilm-l6-v2-tokenizer.json")) {
      Files.copy(java.util.Objects.requireNonNull(in), miniLm);
    }
  }

  @Test
  void theRealTokenizerGivesTheIdsThatBertKnows() {
    try (Tokenizer tokenizer = Tokenizer.open(miniLm)) {
      assertThat(tokenizer.vocabularySize()).isEqualTo(30522);
      // The ids of bert-base-uncased's published vocabulary.
      assertThat(tokenizer.encode("Hello, world!", true))
          .containsExactly(101, 7592, 1010, 2088, 999, 102);
      assertThat(tokenizer.encode("Hello, world!", false)).containsExactly(7592, 1010, 2088, 999);
      assertThat(tokenizer.encode("", true)).containsExactly(101, 102);
      assertThat(tokenizer.addedToken("[MASK]")).hasValue(103);
      assertThat(tokenizer.addedToken("[NONE]")).isEmpty();
      assertThat(tokenizer.decode(new int[] {101, 7592, 1010, 2088, 999, 102}, true))
          .isEqualTo("hello, world!");
    }
  }

  @Test
  void paddingAndTruncationOfTheFileAreNotApplied() {
    // The file itself pads and truncates to 128.
    try (Tokenizer tokenizer = Tokenizer.open(miniLm)) {
      assertThat(tokenizer.encode("cat", true)).hasSize(3);
      assertThat(tokenizer.encode("cat ".repeat(1000), true)).hasSize(1002);
    }
  }

  @Test
  void truncationKeepsTheSpecialTokens() {
    try (Tokenizer tokenizer = Tokenizer.openTruncating(miniLm, 256)) {
      int[] ids = tokenizer.encode("cat ".repeat(1000), true);
      assertThat(ids).hasSize(256);
      assertThat(ids[0]).isEqualTo(101);
      assertThat(ids[255]).isEqualTo(102);
      assertThat(tokenizer.encode("cat", true)).hasSize(3);
    }
  }

  @Test
  void anUnpairedSurrogateCountsAsTheReplacementCharacter() {
    try (Tokenizer tokenizer = Tokenizer.open(miniLm)) {
      assertThat(tokenizer.encode("smile 😀 \uD83D end", true))
          .isEqualTo(tokenizer.encode("smile 😀 \uFFFD end", true));
    }
  }

  @Test
  void aMalformedFileIsRefusedWithItsField() throws IOException {
    refused("{", "json");
    refused("[]", "json");
    refused("{\"model\":{\"type\":\"BPE\",\"vocab\":{},\"merges\":[]}}", "model.vocab");
    refused("{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":-1},\"merges\":[]}}", "model.vocab");
    refused("{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"a\":1}}}", "json");
    refused(
        "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0}},\"added_tokens\":[{}]}", "added_tokens");
    refused(
        "{\"version\":\"1.0\",\"model\":{\"type\":\"NoSuch\",\"vocab\":{\"a\":0}}}", "tokenizer");
  }

  private static void refused(String json, String field) throws IOException {
    Path file = folder.resolve("bad.json");
    Files.writeString(file, json);
    assertThatThrownBy(() -> Tokenizer.open(file))
        .isInstanceOfSatisfying(
            ModelFormatException.class,
            e -> {
              assertThat(e.field()).as(json).isEqualTo(field);
              assertThat(e.file()).isEqualTo(file.toString());
            });
  }

  @Test
  void aFileWithoutItsOwnUnknownTokenIsRefusedWhenATextNeedsIt() throws IOException {
    Path file = folder.resolve("unknown.json");
    Files.writeString(
        file,
        "{\"version\":\"1.0\",\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"},\"model\":{\"type\":\"WordPiece\","
            + "\"unk_token\":\"[UNK]\",\"continuing_subword_prefix\":\"##\",\"max_input_chars_per_word\":9,"
            + "\"vocab\":{\"a\":0}}}");
    try (Tokenizer tokenizer = Tokenizer.open(file)) {
      assertThat(tokenizer.encode("a a", true)).containsExactly(0, 0);
      assertThatThrownBy(() -> tokenizer.encode("b", true))
          .isInstanceOf(ModelFormatException.class)
          .hasMessageStartingWith(file.toString())
          .hasMessageContaining("[UNK]");
    }
  }

  @Test
  void anIdBehindTheVocabularyIsPaddingOfATableAndHasNoText() {
    try (Tokenizer tokenizer = Tokenizer.open(miniLm)) {
      assertThat(tokenizer.decode(new int[] {30522}, false)).isEmpty();
      int[] padded = {Integer.MAX_VALUE, 7592, 30522, 2088, 30600};
      assertThat(tokenizer.decode(padded, true)).isEqualTo("hello world");
      IncrementalDecoder pieces = new IncrementalDecoder(tokenizer, true);
      StringBuilder text = new StringBuilder();
      for (int id : padded) {
        text.append(pieces.append(id));
      }
      assertThat(text.append(pieces.finish())).hasToString("hello world");
    }
  }

  @Test
  void aNegativeTokenAndAClosedTokenizerAreRefused() {
    Tokenizer tokenizer = Tokenizer.open(miniLm);
    assertThatThrownBy(() -> tokenizer.decode(new int[] {-1}, true))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("-1");
    tokenizer.close();
    tokenizer.close();
    assertThatThrownBy(() -> tokenizer.encode("x", true)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void threadsShareOneTokenizer() {
    try (Tokenizer tokenizer = Tokenizer.open(miniLm)) {
      List<String> texts = List.of("one cat", "two dogs and more", "", "三 鳥");
      List<int[]> alone = texts.stream().map(text -> tokenizer.encode(text, true)).toList();
      boolean same =
          Stream.iterate(0, i -> i + 1)
              .limit(2000)
              .parallel()
              .allMatch(
                  i -> Arrays.equals(tokenizer.encode(texts.get(i % 4), true), alone.get(i % 4)));
      assertThat(same).isTrue();
    }
  }

  @Test
  void theLibraryIsUnpackedIntoTheChosenDirectoryAndADamagedCopyIsReplaced() throws IOException {
    // The library of this JVM may be loaded already, so a fresh JVM shows what a directory gets.
    Path directory = folder.resolve("home").resolve("native");
    assertThat(tokensFromAFreshJvm(directory)).isEqualTo("101 4937 102");
    Path library;
    try (Stream<Path> files = Files.list(directory)) {
      List<Path> all = files.toList();
      assertThat(all).hasSize(1);
      library = all.getFirst();
    }
    Files.writeString(library, "not a library");
    assertThat(tokensFromAFreshJvm(directory)).isEqualTo("101 4937 102");
    assertThat(Files.size(library)).isGreaterThan(1_000_000);
  }

  private static String tokensFromAFreshJvm(Path directory) throws IOException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                Unpacked.class.getName(),
                directory.toString(),
                miniLm.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    return new String(process.getInputStream().readAllBytes()).strip();
  }

  /// The main class of the fresh JVM: prints the token ids of "cat".
  static final class Unpacked {
    public static void main(String[] arguments) {
      NativeTokenizers.unpackInto(Path.of(arguments[0]));
      try (Tokenizer tokenizer = Tokenizer.open(Path.of(arguments[1]))) {
        System.out.println(
            String.join(
                " ",
                Arrays.stream(tokenizer.encode("cat", true)).mapToObj(String::valueOf).toList()));
      }
    }
  }
}

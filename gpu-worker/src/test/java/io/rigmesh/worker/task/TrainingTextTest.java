package io.rigmesh.worker.task;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.worker.tokenizer.BpeTrainer;
import io.rigmesh.worker.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainingTextTest {
  @TempDir Path folder;

  private Tokenizer tokenizer() {
    Path file = folder.resolve("tokenizer.json");
    new BpeTrainer(400, 2, List.of("<|endoftext|>")).add(JobFixtures.text()).train().write(file);
    return Tokenizer.open(file);
  }

  @Test
  void piecesThatEndWithLinesGiveTheTokensOfTheWholeText() {
    try (Tokenizer tokenizer = tokenizer()) {
      int[] whole = tokenizer.encode(JobFixtures.text(), false);
      assertThat(TrainingText.tokens(tokenizer, JobFixtures.text(), 200)).isEqualTo(whole);
      assertThat(TrainingText.tokens(tokenizer, JobFixtures.text())).isEqualTo(whole);
    }
  }

  @Test
  void aLineLongerThanAPieceIsCutBetweenCharacters() {
    try (Tokenizer tokenizer = tokenizer()) {
      String emoji = "🦊".repeat(50);
      for (int pieceChars = 2; pieceChars < 12; pieceChars++) {
        int[] tokens = TrainingText.tokens(tokenizer, emoji, pieceChars);
        assertThat(tokenizer.decode(tokens, false)).isEqualTo(emoji);
      }
    }
  }

  @Test
  void noTextHasNoTokens() {
    try (Tokenizer tokenizer = tokenizer()) {
      assertThat(TrainingText.tokens(tokenizer, "")).isEmpty();
    }
  }
}

package io.rigmesh.worker.embed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.ScalarKernels;
import io.rigmesh.worker.kernels.vector.VectorKernels;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;

@TestInstance(Lifecycle.PER_CLASS)
class EmbedderTest {

  private final Kernels kernels = new VectorKernels(2);
  private final Embedder embedder = Embedder.open(MiniLm.folder(), kernels, Profile.F32_V1);

  @AfterAll
  void close() {
    embedder.close();
    kernels.close();
  }

  @Test
  void aHundredVariedSentencesAgreeWithOnnxRuntimeOnTheSameFile() {
    List<String> sentences = VariedSentences.hundred();
    List<float[]> ours = embedder.embed(sentences);
    try (OnnxRuntimeEncoder oracle = new OnnxRuntimeEncoder(MiniLm.onnx(), 2)) {
      for (int i = 0; i < sentences.size(); i++) {
        float[] theirs = oracle.embed(List.of(embedder.tokens(sentences.get(i)))).getFirst();
        assertThat(cosine(ours.get(i), theirs))
            .as("sentence %d: %s", i, sentences.get(i))
            .isGreaterThan(0.999999);
      }
    }
  }

  @Test
  void likeThingsAreNearAndUnlikeOnesFar() {
    List<float[]> vectors =
        embedder.embed(
            List.of(
                "The cat sleeps on the sofa.",
                "A feline naps on the couch.",
                "GPU prices rose sharply this quarter."));
    assertThat(cosine(vectors.get(0), vectors.get(1))).isGreaterThan(0.5);
    assertThat(cosine(vectors.get(0), vectors.get(2))).isLessThan(0.1);
  }

  @Test
  void aSentenceHasTheSameBitsAloneAndInAnyBatch() {
    List<String> sentences = VariedSentences.hundred();
    List<float[]> together = embedder.embed(sentences);
    Random random = new Random(11);
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < sentences.size(); i++) {
      order.add(i);
    }
    Collections.shuffle(order, random);
    for (int from = 0; from < order.size(); ) {
      int to = Math.min(order.size(), from + 1 + random.nextInt(8));
      List<Integer> batch = order.subList(from, to);
      List<float[]> vectors = embedder.embed(batch.stream().map(sentences::get).toList());
      for (int i = 0; i < batch.size(); i++) {
        assertThat(vectors.get(i))
            .as("sentence %d", batch.get(i))
            .isEqualTo(together.get(batch.get(i)));
      }
      from = to;
    }
  }

  @Test
  void theBackendAndTheThreadCountDoNotChangeABit() {
    List<String> sentences = List.of("", "A cat sits on the mat.", "😀 東京");
    List<float[]> vectors = embedder.embed(sentences);
    for (Kernels other : List.of(new ScalarKernels(), new VectorKernels(1), new VectorKernels(3))) {
      try (other;
          Embedder same = Embedder.open(MiniLm.folder(), other, Profile.F32_V1)) {
        List<float[]> again = same.embed(sentences);
        for (int i = 0; i < sentences.size(); i++) {
          assertThat(again.get(i)).as(other.name()).isEqualTo(vectors.get(i));
        }
      }
    }
  }

  @Test
  void aLongTextIsCutToTwoHundredFiftySixTokens() {
    assertThat(embedder.config()).isEqualTo(new EmbeddingConfig(Pooling.MEAN, true, 256));
    assertThat(embedder.tokens("cat ".repeat(1000))).hasSize(256);
    List<float[]> vectors = embedder.embed(List.of("cat ".repeat(254), "cat ".repeat(1000)));
    assertThat(vectors.get(0)).isEqualTo(vectors.get(1));
    assertThatThrownBy(() -> embedder.embedTokens(List.of(new int[257])))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("257 tokens, at most 256");
  }

  @Test
  void noTextsGiveNoVectors() {
    assertThat(embedder.embed(List.of())).isEmpty();
  }

  @Test
  void everyVectorHasLengthOneAndTheModelsDimensions() {
    assertThat(embedder.dimensions()).isEqualTo(384);
    for (float[] vector : embedder.embed(List.of("", "one", "two 😀"))) {
      assertThat(vector).hasSize(384);
      double squares = 0;
      for (float value : vector) {
        squares += (double) value * value;
      }
      assertThat(squares).isCloseTo(1, within(1e-6));
    }
  }

  private static double cosine(float[] a, float[] b) {
    double dot = 0;
    double squaresA = 0;
    double squaresB = 0;
    for (int i = 0; i < a.length; i++) {
      dot += (double) a[i] * b[i];
      squaresA += (double) a[i] * a[i];
      squaresB += (double) b[i] * b[i];
    }
    return dot / Math.sqrt(squaresA * squaresB);
  }
}

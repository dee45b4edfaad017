package io.rigmesh.worker.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.format.ElementType;
import io.rigmesh.worker.generate.Sampler;
import io.rigmesh.worker.generate.SamplingParameters;
import io.rigmesh.worker.generate.SamplingParameters.Penalties;
import io.rigmesh.worker.generate.TokenHistory;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.Philox;
import io.rigmesh.worker.kernels.vector.CpuBackend;
import io.rigmesh.worker.llama.FamilyFolder;
import io.rigmesh.worker.llama.LlamaConfig;
import io.rigmesh.worker.llama.LlamaParameters;
import io.rigmesh.worker.llama.LlamaWeights;
import io.rigmesh.worker.serve.CpuStepRunner;
import io.rigmesh.worker.serve.Draw;
import io.rigmesh.worker.serve.Segment;
import io.rigmesh.worker.serve.Step;
import io.rigmesh.worker.serve.StepOutput;
import io.rigmesh.worker.serve.StepRunner;
import io.rigmesh.worker.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Whole steps of small models, as a device runs them, give the bits of the CPU.
abstract class StepRunnerContract {
  /// Odd sizes: a vocabulary that fills no tile, three query heads a group, rows of 20 and 44.
  static final LlamaConfig CONFIG =
      new LlamaConfig(
          61, 20, 2, 6, 2, 6, 44, 96, 10_000, 1e-5f, false, OptionalInt.empty(), List.of());

  private static final int PAGES = 6;
  private static final int ROWS_MAX = 48;

  /// Norms of heads, biases, long heads of which four share a key head, tied head.
  private static final String QWEN3 =
      """
      {"model_type": "qwen3", "architectures": ["Qwen3ForCausalLM"], "vocab_size": 61,
       "hidden_size": 36, "num_hidden_layers": 1, "num_attention_heads": 4, "head_dim": 72,
       "num_key_value_heads": 1, "intermediate_size": 20, "max_position_embeddings": 90,
       "attention_bias": true, "tie_word_embeddings": true}
      """;

  /// A sliding window shorter than a page, pairs of heads.
  private static final String MISTRAL =
      """
      {"model_type": "mistral", "architectures": ["MistralForCausalLM"], "vocab_size": 61,
       "hidden_size": 20, "num_hidden_layers": 2, "num_attention_heads": 4, "head_dim": 10,
       "num_key_value_heads": 2, "intermediate_size": 28, "max_position_embeddings": 90,
       "sliding_window": 7}
      """;

  final Kernels host = CpuBackend.open(1);

  @TempDir Path folder;

  /// A device that chooses its kernels as one of this architecture does.
  abstract Accelerator open(Architecture architecture);

  @ParameterizedTest
  @CsvSource({"I8_V1, 9", "I8_V1, 7", "F32_V1, 9"})
  void mixedStepsGiveTheBitsOfTheCpu(Profile profile, int major) {
    List<Step> steps =
        List.of(
            // A prompt over two pages, a short one beside it.
            step(segment(0, 37, 0, 2, 3, 1), segment(37, 2, 0, 1, 5)),
            // Both decode.
            step(segment(0, 1, 37, 1, 3, 1), segment(1, 1, 2, 1, 5)),
            // One decodes while another prompt begins.
            step(segment(0, 1, 38, 1, 3, 1), segment(1, 5, 0, 0, 0)),
            step(segment(0, 1, 39, 1, 3, 1), segment(1, 1, 3, 1, 5), segment(2, 1, 5, 1, 0)));
    try (LlamaWeights weights = LlamaWeights.of(LlamaParameters.initial(CONFIG, 5))) {
      assertSame(weights, profile, new Architecture(major, 5, 4, 64 << 10), steps);
    }
  }

  @ParameterizedTest
  @MethodSource("families")
  void everyFamilyGivesTheBitsOfTheCpu(String config, ElementType type, Profile profile) {
    FamilyFolder.write(folder, config, type, 2, 3);
    List<Step> steps =
        List.of(
            step(segment(0, 9, 0, 1, 2, 4)),
            step(segment(0, 5, 9, 5, 2, 4), segment(5, 3, 0, 3, 0)),
            step(segment(0, 1, 14, 1, 2, 4), segment(1, 1, 3, 1, 0)),
            // One alone.
            step(segment(0, 1, 15, 1, 2, 4)),
            step(segment(0, 1, 4, 1, 0)));
    try (LlamaWeights weights = LlamaWeights.open(folder)) {
      assertSame(weights, profile, Architecture.HOPPER, steps);
    }
  }

  /// Chunks of more rows than a tile has, a sequence that outgrows a split of 1024 keys, and what
  /// it does then alone and in company. The number of multiprocessors chooses the tile.
  @ParameterizedTest
  @CsvSource({
    "I8_V1, 1, 900, linear_i8_wgmma_128x256",
    "I8_V1, 132, 300, linear_i8_wgmma_128x128",
    "F32_V1, 132, 900, linear_f32"
  })
  void longChunksAndLongSequencesGiveTheBitsOfTheCpu(
      Profile profile, int multiprocessors, int prompt, String product) {
    LlamaConfig config =
        new LlamaConfig(
            61, 18, 1, 2, 1, 4, 26, 1060, 10_000, 1e-5f, false, OptionalInt.empty(), List.of());
    Architecture architecture = new Architecture(9, 0, multiprocessors, 227 << 10);
    int rowsMax = 300;
    int[] table = IntStream.range(0, 33).map(page -> 36 - page).toArray();
    List<Step> steps = new ArrayList<>();
    for (int position = 0; position < prompt; position += rowsMax) {
      steps.add(step(new Segment(0, rowsMax, position, table, 2)));
    }
    // To position 1030, if it was 900, and beside a short prompt.
    steps.add(step(new Segment(0, 130, prompt, table, 7), segment(130, 5, 0, 1, 0)));
    steps.add(step(new Segment(0, 1, prompt + 130, table, 1)));
    steps.add(step(new Segment(0, 1, prompt + 131, table, 1), segment(1, 1, 5, 1, 0)));
    CudaStepRunner.Sizes sizes = new CudaStepRunner.Sizes(37, rowsMax, 8);
    for (int rows : new int[] {130, rowsMax}) {
      StepShape shape = StepShape.exact(rows, 0, (rows + 31) / 32, 7, 1030);
      assertThat(CudaStepRunner.plan(config, profile, sizes, shape, architecture).launches())
          .extracting(Launch::entry)
          .contains(product, "attention_tiles_64");
    }
    try (LlamaWeights weights = LlamaWeights.of(LlamaParameters.initial(config, 6))) {
      assertSame(weights, profile, architecture, sizes, steps);
    }
  }

  static Stream<Arguments> families() {
    return Stream.of(
        Arguments.of(QWEN3, ElementType.BF16, Profile.I8_V1),
        Arguments.of(MISTRAL, ElementType.F16, Profile.I8_V1),
        Arguments.of(QWEN3, ElementType.BF16, Profile.F32_V1));
  }

  /// Draws of all kinds from one step's rows, in one call and one by one.
  @ParameterizedTest
  @CsvSource({"61", "1300"})
  void tokensAreChosenOnTheDeviceAsByTheSampler(int vocabularySize) {
    LlamaConfig config =
        new LlamaConfig(
            vocabularySize,
            20,
            1,
            2,
            2,
            6,
            16,
            96,
            10_000,
            1e-5f,
            false,
            OptionalInt.empty(),
            List.of());
    TokenHistory history = TokenHistory.of(new int[] {1, 2, 3});
    history.add(2);
    history.add(60);
    Penalties penalties = new Penalties(1.2f, 0.3f, 0.5f);
    SortedMap<Integer, Float> bias = new TreeMap<>(Map.of(2, 0.5f, 17, 3f));
    List<SamplingParameters> parameters =
        List.of(
            new SamplingParameters(0.9f, 0, 1f, 1),
            new SamplingParameters(1.1f, 7, 1f, 2),
            new SamplingParameters(0.1f, 0, 0.5f, 3),
            new SamplingParameters(0.8f, 50, 0.9f, 0.01f, penalties, bias, 4),
            new SamplingParameters(0f, 0, 1f, 0f, penalties, bias, 5),
            // More candidates than the device ranks, where the vocabulary has them.
            new SamplingParameters(1f, 300, 1f, 6));
    try (LlamaWeights weights = LlamaWeights.of(LlamaParameters.initial(config, 9));
        Accelerator device = open(Architecture.HOPPER);
        StepRunner runner =
            new CudaStepRunner(
                device,
                weights,
                Profile.I8_V1,
                new CudaStepRunner.Sizes(PAGES, ROWS_MAX, ROWS_MAX),
                (bytes, bytesTotal) -> {})) {
      StepOutput output = runner.run(step(segment(0, 6, 0, 6, 2)));
      List<Draw> draws = new ArrayList<>();
      for (int i = 0; i < parameters.size(); i++) {
        draws.add(new Draw(5 - i, parameters.get(i), history, 10 + i));
      }
      int[] together = output.sample(draws);
      Sampler sampler = new Sampler(host, vocabularySize);
      for (int i = 0; i < draws.size(); i++) {
        Draw draw = draws.get(i);
        Tensor logits = output.logits().rows(draw.output(), draw.output() + 1);
        int expected = sampler.token(logits, draw.parameters(), history, draw.position());
        boolean onHost = i == 5 && vocabularySize > 300;
        assertThat(together[i]).as("draw %d", i).isEqualTo(onHost ? StepOutput.ON_HOST : expected);
        assertThat(output.sample(List.of(draw))).containsExactly(together[i]);
      }
    }
  }

  private void assertSame(
      LlamaWeights weights, Profile profile, Architecture architecture, List<Step> steps) {
    assertSame(
        weights, profile, architecture, new CudaStepRunner.Sizes(PAGES, ROWS_MAX, ROWS_MAX), steps);
  }

  private void assertSame(
      LlamaWeights weights,
      Profile profile,
      Architecture architecture,
      CudaStepRunner.Sizes sizes,
      List<Step> steps) {
    try (StepRunner expected =
            new CpuStepRunner(
                host,
                weights,
                profile,
                new CpuStepRunner.Sizes(sizes.pages(), sizes.rowsMax(), sizes.outputsMax()));
        Accelerator device = open(architecture);
        StepRunner actual =
            new CudaStepRunner(device, weights, profile, sizes, (bytes, bytesTotal) -> {})) {
      for (int i = 0; i < steps.size(); i++) {
        StepOutput cpu = expected.run(steps.get(i));
        StepOutput gpu = actual.run(steps.get(i));
        assertBits("hidden of step " + i, cpu.hidden(), gpu.hidden());
        assertBits("logits of step " + i, cpu.logits(), gpu.logits());
        assertThat(gpu.argmax()).as("argmax of step %d", i).isEqualTo(cpu.argmax());
      }
    }
  }

  private static void assertBits(String what, Tensor expected, Tensor actual) {
    assertThat(actual.shape()).as(what).isEqualTo(expected.shape());
    for (int i = 0; i < expected.size(); i++) {
      assertThat(Float.floatToRawIntBits(actual.get(i)))
          .as("%s, element %d: %s and %s", what, i, expected.get(i), actual.get(i))
          .isEqualTo(Float.floatToRawIntBits(expected.get(i)));
    }
  }

  static Segment segment(int firstRow, int rows, int firstPosition, int outputRows, int... pages) {
    return new Segment(firstRow, rows, firstPosition, pages, outputRows);
  }

  static Step step(Segment... segments) {
    List<Segment> list = List.of(segments);
    int rows = list.stream().mapToInt(Segment::rows).sum();
    int[] tokens = new int[rows];
    for (int row = 0; row < rows; row++) {
      tokens[row] = (int) (Philox.uniform(11, list.getFirst().firstPosition(), row) * 61);
    }
    return new Step(tokens, list);
  }
}

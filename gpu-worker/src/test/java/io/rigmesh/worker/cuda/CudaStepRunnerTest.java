package io.rigmesh.worker.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.generate.GenerationRequest;
import io.rigmesh.worker.generate.SamplingParameters;
import io.rigmesh.worker.generate.TokenHistory;
import io.rigmesh.worker.kernels.NonFiniteException;
import io.rigmesh.worker.llama.LlamaParameters;
import io.rigmesh.worker.llama.LlamaWeights;
import io.rigmesh.worker.serve.CpuStepRunner;
import io.rigmesh.worker.serve.Draw;
import io.rigmesh.worker.serve.Engine;
import io.rigmesh.worker.serve.EngineLimits;
import io.rigmesh.worker.serve.Segment;
import io.rigmesh.worker.serve.SequenceEvent;
import io.rigmesh.worker.serve.SequenceRequest;
import io.rigmesh.worker.serve.Step;
import io.rigmesh.worker.serve.StepOutput;
import io.rigmesh.worker.serve.StepRunner;
import io.rigmesh.worker.serve.TokenStream;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// The launch plans, executed from the shipped PTX by the interpreter.
final class CudaStepRunnerTest extends StepRunnerContract {
  @Override
  Accelerator open(Architecture architecture) {
    return new InterpretedAccelerator(architecture);
  }

  @Test
  void decodesAreRecordedAndPromptsRunInTiles() {
    InterpretedAccelerator device = new InterpretedAccelerator(Architecture.HOPPER);
    try (CudaStepRunner runner =
        runner(device, LlamaParameters.initial(CONFIG, 5), Profile.I8_V1)) {
      runner.run(step(segment(0, 17, 0, 1, 3)));
      assertThat(device.replays()).isZero();
      assertThat(device.launched())
          .contains("attention_tiles_64", "linear_i8_mma_64x32")
          .doesNotContain("attention_scores");
      device.launched().clear();
      runner.run(step(segment(0, 1, 17, 1, 3)));
      runner.run(step(segment(0, 1, 18, 1, 3)));
      assertThat(device.replays()).isEqualTo(2);
      assertThat(device.launched())
          .contains("attention_scores_one", "linear_i8_row_plain_2")
          .doesNotContain("attention_tiles_64", "attention_scores");
      device.launched().clear();
      runner.run(step(segment(0, 1, 19, 1, 3), segment(1, 1, 0, 1, 5)));
      assertThat(device.launched())
          .contains("attention_scores", "linear_i8_rows_2")
          .doesNotContain("attention_scores_one");
    }
  }

  /// Decodes of one and of three sequences over the end of a page, tokens drawn on the device: once
  /// their shapes are known, steps neither take device memory nor record a graph, and the host
  /// reads the same few bytes each time.
  @Test
  void aSteadyStepAllocatesAndRecordsNothing() {
    InterpretedAccelerator device = new InterpretedAccelerator(Architecture.HOPPER);
    SamplingParameters sampling = new SamplingParameters(0.9f, 20, 0.9f, 1);
    TokenHistory history = TokenHistory.of(new int[] {1, 2, 3});
    try (CudaStepRunner runner =
        runner(device, LlamaParameters.initial(CONFIG, 5), Profile.I8_V1)) {
      assertThat(device.allocations()).as("the arena").isEqualTo(1);
      for (int sequences : new int[] {1, 3}) {
        Set<Integer> read = new HashSet<>();
        int recordings = 0;
        for (int position = 28; position < 36; position++) {
          int at = position;
          Step step =
              step(
                  IntStream.range(0, sequences)
                      .mapToObj(i -> segment(i, 1, at, 1, 2 * i, 2 * i + 1))
                      .toArray(Segment[]::new));
          StepOutput output = runner.run(step);
          List<Draw> draws = new ArrayList<>();
          for (int i = 0; i < sequences; i++) {
            draws.add(new Draw(i, sampling, history, position));
          }
          assertThat(output.sample(draws)).doesNotContain(StepOutput.ON_HOST);
          if (position == 28) {
            recordings = device.recordings();
            device.bytesRead().forEach(read::add);
            device.bytesRead().clear();
          }
        }
        assertThat(device.recordings()).as("a step's and its sampling's").isEqualTo(recordings);
        assertThat(device.bytesRead()).hasSize(2 * 7).allMatch(read::contains);
        device.bytesRead().clear();
      }
      assertThat(device.recordings()).isEqualTo(4);
      assertThat(device.replays()).isEqualTo(2 * 2 * 8);
      assertThat(device.allocations()).isEqualTo(1);
    }
  }

  @Test
  void aSampledGenerationCopiesNoLogits() {
    InterpretedAccelerator device = new InterpretedAccelerator(Architecture.HOPPER);
    LlamaParameters parameters = LlamaParameters.initial(CONFIG, 5);
    SamplingParameters sampling =
        new SamplingParameters(
            0.9f,
            20,
            0.9f,
            0f,
            new SamplingParameters.Penalties(1.1f, 0.2f, 0.1f),
            new TreeMap<>(Map.of(5, 1.5f)),
            3);
    SequenceRequest request =
        SequenceRequest.of(new GenerationRequest(List.of(4, 9, 4), sampling, 5, Set.of()));
    List<Integer> expected =
        tokens(
            new CpuStepRunner(
                host,
                LlamaWeights.of(parameters),
                Profile.I8_V1,
                new CpuStepRunner.Sizes(6, 48, 48)),
            request);
    CudaStepRunner runner =
        new CudaStepRunner(
            device,
            LlamaWeights.of(parameters),
            Profile.I8_V1,
            new CudaStepRunner.Sizes(6, 48, 1),
            (bytes, bytesTotal) -> {});
    device.bytesRead().clear();
    assertThat(tokens(runner, request)).isEqualTo(expected);
    assertThat(expected).hasSize(5);
    int logitsBytes = 4 * CONFIG.vocabularySize();
    assertThat(device.bytesRead()).isNotEmpty().allMatch(bytes -> bytes < logitsBytes);
    assertThat(device.launched()).contains("sample_choose");
  }

  @Test
  void oneCopyBringsTheTokenAndItsHiddenState() {
    InterpretedAccelerator device = new InterpretedAccelerator(Architecture.HOPPER);
    LlamaParameters parameters = LlamaParameters.initial(CONFIG, 5);
    SequenceRequest request =
        SequenceRequest.of(
            new GenerationRequest(List.of(4, 9, 4), SamplingParameters.greedy(), 4, Set.of()));
    CudaStepRunner runner = runner(device, parameters, Profile.I8_V1);
    device.bytesRead().clear();
    List<Integer> tokens = tokens(runner, request);
    assertThat(device.bytesRead()).hasSameSizeAs(tokens).hasSize(4);
  }

  @Test
  void weightsAreCheckedOnceForAll() {
    InterpretedAccelerator device = new InterpretedAccelerator(Architecture.HOPPER);
    try (CudaStepRunner runner =
        runner(device, LlamaParameters.initial(CONFIG, 5), Profile.F32_V1)) {
      assertThat(runner.pages()).isEqualTo(6);
      assertThat(device.bytesRead()).containsExactly(Long.BYTES);
    }
  }

  private List<Integer> tokens(StepRunner runner, SequenceRequest request) {
    List<Integer> tokens = new ArrayList<>();
    try (Engine engine = new Engine(runner, host, new EngineLimits(1, 4, 48, 100, false));
        TokenStream stream = engine.submit(request)) {
      while (true) {
        switch (stream.next()) {
          case SequenceEvent.Token token -> tokens.add(token.token().tokenId());
          case SequenceEvent.Ended ignored -> {
            return tokens;
          }
          case SequenceEvent.Failed failed -> throw failed.cause();
        }
      }
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void anOverflowNamesItsOperationAndTheNextStepIsClean() {
    LlamaParameters parameters = LlamaParameters.initial(CONFIG, 5);
    parameters.layers().get(1).up().fill(3e38f);
    Segment one = new Segment(0, 1, 0, new int[] {0}, 1);
    Step step = new Step(new int[] {7}, List.of(one));
    try (CudaStepRunner runner =
        runner(new InterpretedAccelerator(Architecture.HOPPER), parameters, Profile.F32_V1)) {
      for (int time = 0; time < 2; time++) {
        assertThatThrownBy(() -> runner.run(step))
            .isInstanceOf(NonFiniteException.class)
            .hasMessageContaining("linear (layer 1 gate and up)");
      }
    }
  }

  @Test
  void weightsThatAreNotFiniteAreRefusedByName() {
    LlamaParameters parameters = LlamaParameters.initial(CONFIG, 5);
    parameters.layers().get(1).key().set(9, Float.NaN);
    InterpretedAccelerator device = new InterpretedAccelerator(Architecture.HOPPER);
    assertThatThrownBy(() -> runner(device, parameters, Profile.I8_V1))
        .isInstanceOf(NonFiniteException.class)
        .hasMessageContaining("model.layers.1.self_attn.k_proj.weight")
        .hasMessageContaining("element 9");
  }

  @Test
  void aModelThatDoesNotFitIsRefusedBeforeAnythingIsTaken() {
    InterpretedAccelerator device = new InterpretedAccelerator(Architecture.HOPPER);
    LlamaParameters parameters = LlamaParameters.initial(CONFIG, 5);
    assertThatThrownBy(() ->
            new CudaStepRunner(
                device,
                LlamaWeights.of(parameters),
                Profile.I8_V1,
                new CudaStepRunner.Sizes(1 << 20, 4, 4),
                (bytes, bytesTotal) -> {}))
        .isInstanceOf(CudaException.class)
        .hasMessageContaining("fewer pages");
  }

  @Test
  void asManyPagesAsFitAreCounted() {
    LlamaWeights weights = LlamaWeights.of(LlamaParameters.initial(CONFIG, 5));
    long bytes = CudaStepRunner.bytes(weights, Profile.I8_V1, new CudaStepRunner.Sizes(40, 8, 8));
    assertThat(CudaStepRunner.pagesFor(weights, Profile.I8_V1, 8, 8, bytes, 1, 1 << 20))
        .isEqualTo(40);
    assertThatThrownBy(() -> CudaStepRunner.pagesFor(weights, Profile.I8_V1, 8, 8, 1000, 1, 9))
        .isInstanceOf(CudaException.class)
        .hasMessageContaining("smaller model");
  }

  private static CudaStepRunner runner(
      Accelerator device, LlamaParameters parameters, Profile profile) {
    return new CudaStepRunner(
        device,
        LlamaWeights.of(parameters),
        profile,
        new CudaStepRunner.Sizes(6, 48, 48),
        (bytes, bytesTotal) -> {});
  }
}

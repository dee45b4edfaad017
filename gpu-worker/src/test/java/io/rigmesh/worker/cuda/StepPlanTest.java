package io.rigmesh.worker.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.llama.LlamaConfig;
import java.util.List;
import org.junit.jupiter.api.Test;

/// What a plan of a large model says without a device: which kernels, how many launches, which
/// bytes.
final class StepPlanTest {
  private static final StepShape DECODE = new StepShape(1, 1, 0, 1, 1024);
  private static final StepShape BATCH = new StepShape(64, 64, 0, 64, 1024);
  private static final StepShape PREFILL = new StepShape(512, 0, 32, 1, 512);

  @Test
  void aDecodeReadsEveryWeightOnce() {
    LlamaConfig config = GpuShapes.LLAMA_8B;
    LaunchPlan plan = plan(Profile.I8_V1, DECODE, Architecture.HOPPER);
    long read = 0;
    for (Launch launch : plan.launches()) {
      read += launch.entry().startsWith("linear_") ? launch.work().bytesRead() : 0;
    }
    long matrices =
        config.parameterCount()
            - (long) config.vocabularySize() * config.hiddenSize()
            - (2L * config.layers() + 1) * config.hiddenSize();
    // What is more is scales, activations and residuals: a thousandth.
    assertThat(read).isBetween(matrices, matrices + matrices / 500);
    assertThat(plan.operations(Work.Unit.INT8)).isEqualTo(2 * matrices);
  }

  @Test
  void aDecodeTakesSixLaunchesALayerAndTwelveWithManySplits() {
    int layers = GpuShapes.LLAMA_8B.layers();
    assertThat(plan(Profile.I8_V1, DECODE, Architecture.HOPPER).launches()).hasSize(6 * layers + 2);
    StepShape longer = new StepShape(1, 1, 0, 1, 16_384);
    assertThat(plan(Profile.I8_V1, longer, Architecture.HOPPER).launches())
        .hasSize(12 * layers + 4);
    StepShape two = new StepShape(2, 2, 0, 2, 1024);
    assertThat(plan(Profile.I8_V1, two, Architecture.HOPPER).launches()).hasSize(11 * layers + 4);
  }

  @Test
  void whatIsReadAheadIsTheWeightThatComesNext() {
    LaunchPlan plan = plan(Profile.I8_V1, DECODE, Architecture.HOPPER);
    List<Launch> products =
        plan.launches().stream()
            .filter(launch -> launch.entry().startsWith("linear_i8_row_"))
            .toList();
    // Of a layer, the product of gates and ups reads ahead of the next, and that of the next layer.
    for (int layer = 0; layer < GpuShapes.LLAMA_8B.layers(); layer++) {
      for (int product : new int[] {4 * layer + 2, 4 * layer + 3}) {
        assertThat(ahead(products.get(product)).address())
            .isEqualTo(weight(products.get(product + 1)));
        assertThat(ahead(products.get(product)).bytes()).isEqualTo(4 << 20);
      }
    }
    assertThat(plan(Profile.I8_V1, DECODE, Architecture.LEAST).launches())
        .allMatch(launch -> ahead(launch).bytes() == 0);
  }

  /// What a launch asks the cache for.
  private static ReadAhead ahead(Launch launch) {
    List<Argument> arguments = launch.arguments();
    for (int i = 1; i < arguments.size(); i++) {
      if (arguments.get(i) instanceof Argument.Int64 bytes
          && arguments.get(i - 1) instanceof Argument.Address address) {
        return new ReadAhead(address.value(), bytes.value());
      }
    }
    return ReadAhead.NONE;
  }

  /// The address of a product's weight, which the kernels take after what makes the row.
  private static long weight(Launch launch) {
    int at = launch.entry().contains("_norm_") ? 5 : launch.entry().contains("_plain_") ? 3 : 6;
    return ((Argument.Address) launch.arguments().get(at)).value();
  }

  @Test
  void kernelsAreChosenByRowsAndDevice() {
    Architecture turing = Architecture.LEAST;
    assertThat(linear(Profile.I8_V1, DECODE, Architecture.HOPPER))
        .containsOnly("linear_i8_row_norm_4", "linear_i8_row_attention_4", "linear_i8_row_plain_4");
    assertThat(linear(Profile.I8_V1, BATCH, Architecture.HOPPER))
        .containsOnly("linear_i8_mma_64x32");
    assertThat(linear(Profile.I8_V1, PREFILL, Architecture.HOPPER))
        .containsOnly("linear_i8_wgmma_128x256", "linear_i8_wgmma_128x128", "linear_i8_rows_1");
    // PTX for compute_90a runs on no later device.
    for (int major : new int[] {8, 10}) {
      assertThat(linear(Profile.I8_V1, PREFILL, new Architecture(major, 0, 132, 227 << 10)))
          .containsOnly("linear_i8_mma_128x128", "linear_i8_rows_1");
    }
    assertThat(linear(Profile.I8_V1, PREFILL, new Architecture(9, 0, 132, 100 << 10)))
        .containsOnly("linear_i8_mma_128x128", "linear_i8_rows_1");
    assertThat(linear(Profile.I8_V1, BATCH, turing)).containsOnly("linear_i8_rows_8");
    assertThat(linear(Profile.F32_V1, DECODE, turing)).containsOnly("linear_f32_rows");
    assertThat(linear(Profile.F32_V1, PREFILL, turing))
        .containsOnly("linear_f32", "linear_f32_rows");
  }

  @Test
  void everyKernelIsShippedForADeviceThatCanRunIt() {
    PtxManifest manifest = PtxManifest.load();
    for (Profile profile : Profile.values()) {
      for (StepShape shape : List.of(DECODE, BATCH, PREFILL)) {
        for (Launch launch : plan(profile, shape, Architecture.LEAST).launches()) {
          assertThat(manifest.moduleOf(launch.entry()).architecture())
              .as(launch.what())
              .isEqualTo("compute_75");
          assertThat(launch.sharedBytes()).isLessThanOrEqualTo(64 << 10);
        }
      }
    }
  }

  private static List<String> linear(Profile profile, StepShape shape, Architecture architecture) {
    return plan(profile, shape, architecture).launches().stream()
        .map(Launch::entry)
        .filter(entry -> entry.startsWith("linear_"))
        .toList();
  }

  private static LaunchPlan plan(Profile profile, StepShape shape, Architecture architecture) {
    return CudaStepRunner.plan(
        GpuShapes.LLAMA_8B,
        profile,
        new CudaStepRunner.Sizes(64 * 32, 512, 64),
        shape,
        architecture);
  }
}

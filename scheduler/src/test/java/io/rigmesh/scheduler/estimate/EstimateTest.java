package io.rigmesh.scheduler.estimate;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.protocol.JobKind;
import io.rigmesh.protocol.Profile;
import io.rigmesh.protocol.Task;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class EstimateTest {
  @Test
  void newModelHasTheParametersOfItsArchitecture() {
    // TinyLlama 1.1B: 22 layers, 2048 wide, 32 heads, 4 of keys, 5632 inside, 32000 entries, but
    // with its head tied here.
    ModelShape shape = ModelShape.of(new Task.Architecture(22, 2048, 32, 4, 5632, 32_000));
    assertThat(shape.parameters()).isEqualTo(1_100_048_384L - 32_000L * 2_048);
    assertThat(shape.kvDim()).isEqualTo(256);
  }

  @Test
  void trainingWantsItsStateAndGrowsWithBatchAndContext() {
    ModelShape shape = ModelShape.of(new Task.Architecture(4, 128, 4, 2, 384, 2_048));
    long small = Estimate.of(train(1, 64), shape, Profile.F32_V1, 1_000).memoryBytes();
    long large = Estimate.of(train(64, 512), shape, Profile.F32_V1, 1_000).memoryBytes();
    assertThat(small).isGreaterThan(16 * shape.parameters());
    assertThat(large).isGreaterThan(10 * small);
    assertThat(Estimate.of(train(2, 64), shape, Profile.F32_V1, 1_000).operations())
        .isEqualTo(2 * Estimate.of(train(1, 64), shape, Profile.F32_V1, 1_000).operations());
  }

  @Test
  void modelInBytesFitsWhereItDoesNotFitInFloats() {
    ModelShape shape = ModelShape.of(new Task.Architecture(32, 4_096, 32, 8, 14_336, 65_536));
    Task.Embed task = new Task.Embed();
    assertThat(Estimate.of(task, shape, Profile.I8_V1, 1_000).memoryBytes())
        .isGreaterThan(shape.parameters())
        .isLessThan(Estimate.of(task, shape, Profile.F32_V1, 1_000).memoryBytes() / 2);
  }

  @Test
  void absurdJobsNeedMoreThanAnyDeviceHasAndDoNotOverflow() {
    ModelShape shape = ModelShape.of(new Task.Architecture(128, 16_384, 2, 2, 65_536, 65_536));
    Task.Train task = new Task.Train(1_000_000, 1_024, 8_192, 0.1f, 0, 0, 1, 1, Optional.empty());
    assertThat(Estimate.of(task, shape, Profile.F32_V1, 1L << 40).memoryBytes())
        .isGreaterThan(1L << 40);
    assertThat(Estimate.of(new Task.Embed(), shape, Profile.F32_V1, 1L << 60).memoryBytes())
        .isPositive();
  }

  @Test
  void speedFollowsWhatWasMeasured() {
    Speeds speeds = new Speeds();
    Speeds.Key key = new Speeds.Key("cpu", JobKind.TRAIN);
    assertThat(speeds.seconds(key, 1e9)).isZero();
    speeds.observe(key, 1e9, 10);
    assertThat(speeds.seconds(key, 1e9)).isEqualTo(10);
    speeds.observe(key, 2e9, 10);
    assertThat(speeds.seconds(key, 1e9)).isBetween(5.0, 10.0);
    speeds.observe(key, 1e9, 0.001);
    assertThat(speeds.seconds(key, 1e9)).as("too short to say anything").isGreaterThan(5.0);
  }

  private static Task.Train train(int batch, int context) {
    return new Task.Train(100, batch, context, 0.001f, 0, 0, 1, 10, Optional.empty());
  }
}

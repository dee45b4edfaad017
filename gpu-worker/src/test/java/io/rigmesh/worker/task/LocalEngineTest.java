package io.rigmesh.worker.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.protocol.Evidence;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.Profile;
import io.rigmesh.protocol.Task;
import io.rigmesh.worker.device.DeviceException;
import io.rigmesh.worker.generate.FinishReason;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.vector.VectorKernels;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LocalEngineTest {
  @TempDir Path folder;

  @Test
  void theEngineAloneGivesTheTokensOfAJob() {
    Path text = JobFixtures.write(folder.resolve("text"), JobFixtures.text());
    Path prompt = JobFixtures.write(folder.resolve("prompt"), "The mill");
    RunRequest training =
        JobFixtures.request(
            JobFixtures.job(JobFixtures.TRAIN, Hash.ZERO, text, 7),
            Optional.empty(),
            text,
            folder.resolve("train"));
    Path model = training.outputFolder().resolve("model");
    Task.Generate task = new Task.Generate(8, 0.8f, 0, 0.9f);
    Evidence.Generation evidence;
    try (Kernels kernels = new VectorKernels(2)) {
      RunEvent.Done trained = JobFixtures.run(kernels, training);
      Job job = JobFixtures.job(task, trained.trainedModel().orElseThrow(), prompt, 33);
      RunRequest request =
          JobFixtures.request(job, Optional.of(model), prompt, folder.resolve("generate"));
      evidence = (Evidence.Generation) JobFixtures.run(kernels, request).evidence();
    }
    try (LocalEngine engine = LocalEngine.open("cpu", 1, Profile.F32_V1)) {
      List<LocalEngine.TextToken> tokens = new ArrayList<>();
      LocalEngine.Generated generated =
          engine.generate(model, "The mill", task, 33, tokens::add, () -> false);
      assertThat(generated.tokens()).isEqualTo(evidence.tokens());
      assertThat(generated.promptTokens()).isEqualTo(evidence.promptTokens());
      assertThat(tokens).extracting(LocalEngine.TextToken::id).isEqualTo(evidence.tokens());

      LocalEngine.Generated cut =
          engine.generate(model, "The mill", task, 33, token -> {}, () -> true);
      assertThat(cut.reason()).isEqualTo(FinishReason.CANCELLED);
      assertThat(cut.tokens()).isEmpty();

      assertThatThrownBy(
              () -> engine.generate(model, "mill ".repeat(99), task, 33, token -> {}, () -> false))
          .isInstanceOf(InvalidJobException.class)
          .hasMessageContaining("shorten it");
    }
  }

  @Test
  void aCudaDeviceThatIsNotHereIsAClearError() {
    assertThatThrownBy(() -> LocalEngine.open("cuda:99", 1, Profile.F32_V1))
        .isInstanceOf(DeviceException.class)
        .hasMessageContaining("cuda:99")
        .hasMessageContaining("choose --device cpu.");
  }
}

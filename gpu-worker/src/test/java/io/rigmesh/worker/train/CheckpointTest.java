package io.rigmesh.worker.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.worker.format.ModelFolder;
import io.rigmesh.worker.format.ModelFormatException;
import io.rigmesh.worker.kernels.ScalarKernels;
import io.rigmesh.worker.llama.LlamaFixtures;
import io.rigmesh.worker.llama.LlamaParameters;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointTest {
  @TempDir Path parent;

  private final Trainer trainer =
      new Trainer(
          new ScalarKernels(),
          TrainingFixtures.PLAN,
          TrainingState.initial(TrainingFixtures.CONFIG, 2),
          TrainingFixtures.TOKENS);

  @Test
  void aStateIsReadBackToTheBit() {
    trainer.step();
    trainer.step();
    TrainingState read = Checkpoint.load(Checkpoint.save(parent, trainer.state()));
    assertThat(read.stepsDone()).isEqualTo(2);
    trainer
        .state()
        .tensors()
        .forEach((name, tensor) ->
            assertThat(LlamaFixtures.bits(read.tensors().get(name)))
                .as(name)
                .isEqualTo(LlamaFixtures.bits(tensor)));
  }

  @Test
  void aCheckpointIsAModelFolder() {
    Path folder = Checkpoint.save(parent, trainer.state());
    try (ModelFolder model = ModelFolder.open(folder)) {
      assertThat(LlamaParameters.read(model).config()).isEqualTo(TrainingFixtures.CONFIG);
    }
  }

  @Test
  void theLatestIsTheOneWithTheMostStepsAndPartialOnesArePassedOver() throws IOException {
    assertThat(Checkpoint.latest(parent.resolve("missing"))).isEmpty();
    assertThat(Checkpoint.latest(parent)).isEmpty();
    Path zero = Checkpoint.save(parent, trainer.state());
    assertThat(Checkpoint.latest(parent)).contains(zero);
    trainer.step();
    Path one = Checkpoint.save(parent, trainer.state());
    Files.createDirectory(parent.resolve("step-000000002.partial"));
    Files.createDirectory(parent.resolve("something"));
    assertThat(Checkpoint.latest(parent)).contains(one);
    trainer.step();
    Path two = Checkpoint.save(parent, trainer.state());
    assertThat(Checkpoint.latest(parent)).contains(two);
    assertThat(Checkpoint.load(two).stepsDone()).isEqualTo(2);
  }

  @Test
  void savingTheSameStepAgainLeavesTheCheckpointAsItIs() throws IOException {
    Path first = Checkpoint.save(parent, trainer.state());
    byte[] before = Files.readAllBytes(first.resolve("optimizer.safetensors"));
    assertThat(Checkpoint.save(parent, trainer.state())).isEqualTo(first);
    assertThat(Files.readAllBytes(first.resolve("optimizer.safetensors"))).isEqualTo(before);
  }

  @Test
  void pruningKeepsTheLatestAndRemovesWhatACrashLeft() throws IOException {
    Path zero = Checkpoint.save(parent, trainer.state());
    trainer.step();
    Path one = Checkpoint.save(parent, trainer.state());
    trainer.step();
    Path two = Checkpoint.save(parent, trainer.state());
    Path partial = Files.createDirectory(parent.resolve("step-000000003.partial"));
    Files.writeString(partial.resolve("config.json"), "{");
    Checkpoint.prune(parent, 2);
    assertThat(zero).doesNotExist();
    assertThat(partial).doesNotExist();
    assertThat(one).isDirectory();
    assertThat(two).isDirectory();
  }

  @Test
  void aDamagedCheckpointIsRefusedByFileAndField() throws IOException {
    Path folder = Checkpoint.save(parent, trainer.state());
    Files.writeString(folder.resolve("training.json"), "{\"stepsDone\": -1}");
    assertThatThrownBy(() -> Checkpoint.load(folder))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("training.json")
        .hasMessageContaining("stepsDone");
    Files.writeString(folder.resolve("training.json"), "{\"stepsDone\": 1}");
    byte[] moments = Files.readAllBytes(folder.resolve("optimizer.safetensors"));
    Files.write(
        folder.resolve("optimizer.safetensors"),
        java.util.Arrays.copyOf(moments, moments.length - 4));
    assertThatThrownBy(() -> Checkpoint.load(folder))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("optimizer.safetensors");
  }
}

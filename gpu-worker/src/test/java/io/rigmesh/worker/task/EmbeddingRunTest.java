package io.rigmesh.worker.task;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.Profile;
import io.rigmesh.protocol.Task;
import io.rigmesh.worker.embed.MiniLm;
import io.rigmesh.worker.format.SafetensorsFile;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.vector.VectorKernels;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;

@TestInstance(Lifecycle.PER_CLASS)
class EmbeddingRunTest {
  private static final int SENTENCES = 70;

  private final Kernels kernels = new VectorKernels(2);
  private Path folder;
  private Path input;
  private Job job;
  private RunEvent.Done undisturbed;

  @BeforeAll
  void runOnceUndisturbed(@TempDir Path shared) {
    folder = shared;
    String lines =
        IntStream.range(0, SENTENCES)
            .mapToObj(i -> "Line " + i + (i % 3 == 0 ? " is longer than the others." : "."))
            .collect(Collectors.joining("\n"));
    input = JobFixtures.write(folder.resolve("lines"), lines);
    job = JobFixtures.job(new Task.Embed(), Folders.manifest(MiniLm.folder()).root(), input, 1);
    undisturbed = JobFixtures.run(kernels, request("undisturbed"));
  }

  @AfterAll
  void close() {
    kernels.close();
  }

  private RunRequest request(String name) {
    return JobFixtures.request(job, Optional.of(MiniLm.folder()), input, folder.resolve(name));
  }

  /// Runs until two batches of 32 are done.
  private RunRequest interrupted(String name) {
    RunRequest request = request(name);
    AtomicInteger asked = new AtomicInteger();
    assertThat(
            JobFixtures.run(kernels, request, new ArrayList<>(), () -> asked.getAndIncrement() > 2))
        .isInstanceOf(RunEvent.Failed.class);
    return request;
  }

  private void assertGoesOn(RunRequest request, int from) {
    List<RunEvent> events = new ArrayList<>();
    assertThat(JobFixtures.run(kernels, request, events, () -> false)).isEqualTo(undisturbed);
    assertThat(events.getFirst()).isEqualTo(new RunEvent.Started(SENTENCES, job.model(), from));
  }

  @Test
  void aRunThatWasCutOffGoesOnAfterTheVectorsItHas() {
    assertGoesOn(interrupted("cut"), 64);
  }

  @Test
  void aTornVectorIsMadeAgain() throws Exception {
    RunRequest request = interrupted("torn");
    Path vectors = request.workFolder().resolve("vectors");
    byte[] bytes = java.nio.file.Files.readAllBytes(vectors);
    java.nio.file.Files.write(vectors, Arrays.copyOf(bytes, bytes.length - 6));
    assertGoesOn(request, 63);
  }

  @Test
  void aVectorThatTheDiskSpoiltIsMadeAgainWithAllAfterIt() {
    RunRequest request = interrupted("spoilt");
    JobFixtures.flip(request.workFolder().resolve("vectors"), 384 * 4 * 10 + 77, 3);
    assertGoesOn(request, 10);
  }

  @Test
  void vectorsStandInTheOrderOfTheLines() {
    try (LocalEngine local = LocalEngine.open("cpu", 1, Profile.F32_V1);
        SafetensorsFile file =
            SafetensorsFile.open(
                request("undisturbed").outputFolder().resolve(EmbeddingRun.OUTPUT))) {
      float[] all = file.floats(EmbeddingRun.TENSOR);
      float[] line40 = local.embed(MiniLm.folder(), List.of("Line 40.")).getFirst();
      assertThat(Arrays.copyOfRange(all, 40 * 384, 41 * 384)).isEqualTo(line40);
    }
  }
}

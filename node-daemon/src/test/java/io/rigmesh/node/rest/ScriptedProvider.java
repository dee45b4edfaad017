package io.rigmesh.node.rest;

import io.rigmesh.node.jobs.Artifacts;
import io.rigmesh.node.jobs.JobEvent;
import io.rigmesh.protocol.Digests;
import io.rigmesh.protocol.FolderManifest;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.JobState;
import io.rigmesh.worker.format.SafetensorsWriter;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/// Does the jobs of a [TestServer] as a test tells it: nothing is computed, so that a test chooses
/// every token.
final class ScriptedProvider {
  private static final String LINK = Digests.sha256(new byte[] {9}).hex();

  private final TestServer server;
  private final Path folder;

  /// @param folder for the files of outputs
  ScriptedProvider(TestServer server, Path folder) {
    this.server = server;
    this.folder = folder;
  }

  /// Waits for the job that a request makes.
  Job job(int number) throws InterruptedException {
    return server.node.memoryJobs().awaitJob(number);
  }

  /// What a job has to compute on, as text.
  String input(Job job) throws Exception {
    try (InputStream in = server.node.blobs().open(job.input())) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  /// Lets a token come.
  ///
  /// @param more further members of its event, each behind a comma
  void token(Job job, int position, int id, String text, String more) {
    happen(
        job,
        JobEvent.Type.TOKEN,
        "{\"position\":%d,\"id\":%d,\"text\":\"%s\",\"link\":\"%s\"%s}"
            .formatted(position, id, text, LINK, more));
  }

  /// Lets the job's state become another.
  void state(Job job, String json) {
    happen(job, JobEvent.Type.STATE, json);
  }

  private void happen(Job job, JobEvent.Type type, String json) {
    server.node.memoryJobs().happen(job.id(), type, json);
  }

  /// Ends an embedding with the vectors (1, 2) and (0.25, -3).
  void vectors(Job job) throws Exception {
    Path output = Files.createDirectories(folder.resolve("out-" + job.id().hex()));
    new SafetensorsWriter()
        .add("embeddings", new float[] {1f, 2f, 0.25f, -3f}, 2, 2)
        .write(output.resolve("vectors.safetensors"));
    FolderManifest manifest = server.node.blobs().importFolder(output);
    server.node.memoryJobs().output(job.id(), new Artifacts(manifest, server.node.blobs()));
    state(job, "{\"state\":\"completed\"}");
    server.node.memoryJobs().become(job.id(), new JobState.Settled());
  }
}

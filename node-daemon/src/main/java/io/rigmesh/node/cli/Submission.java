package io.rigmesh.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.node.client.DaemonClient;
import io.rigmesh.node.jobs.JobDraft;
import io.rigmesh.node.jobs.JobJson;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.JobKind;
import io.rigmesh.protocol.MalformedException;
import io.rigmesh.protocol.Parameter;
import io.rigmesh.protocol.Profile;
import io.rigmesh.protocol.Task;
import io.rigmesh.protocol.TokenAmount;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// What submitting any kind of job has in common.
final class Submission {
  @Mixin private NodeOptions node;
  @Mixin private OutputOptions output;

  @Option(names = "--profile", defaultValue = "f32-v1", description = "The arithmetic.")
  private String profile;

  @Option(names = "--seed", paramLabel = "N", description = "Keys all randomness (default: drawn).")
  private @Nullable String seed;

  @Option(
      names = "--price-max",
      paramLabel = "UNITS",
      description = "The most to pay, in the token's smallest unit (default: what it may cost).")
  private @Nullable String priceMax;

  @Option(
      names = "--deadline",
      paramLabel = "SECONDS",
      defaultValue = "3600",
      description = "Seconds from now after which the result is worth nothing.")
  private long deadlineSeconds;

  @Option(
      names = "--provider",
      paramLabel = "PEER",
      description = "Peer id of the one provider that may compute it (default: the best offer).")
  private @Nullable String provider;

  @Option(names = "--wait", description = "Follow the job to its end.")
  private boolean wait;

  DaemonClient client() {
    return node.client();
  }

  /// Hands the job in, says its id, and follows it if asked to.
  ///
  /// @return the exit code
  int submit(DaemonClient client, Task task, Optional<Hash> model, Hash input) {
    Console console = Console.ofProcess();
    JobDraft draft =
        new JobDraft(
            checked(task),
            model,
            input,
            Profile.of(profile),
            seed(),
            Optional.ofNullable(priceMax).map(TokenAmount::parse),
            deadlineSeconds,
            Optional.ofNullable(provider).map(PeerId::of));
    JsonNode job = client.post("/v1/jobs", JobJson.write(draft));
    String id = job.path("id").asText();
    if (!wait) {
      print(console, job);
      return ExitCode.OK;
    }
    console.say("job " + id);
    JsonNode end = new JobFollower(client, console, output.json()).follow(id, false);
    print(console, end);
    return JobFollower.exitCode(end);
  }

  private void print(Console console, JsonNode job) {
    if (output.json()) {
      console.print(job);
    } else {
      console.print(job.path("id").asText());
    }
  }

  private OptionalLong seed() {
    String text = seed;
    try {
      return text == null ? OptionalLong.empty() : OptionalLong.of(Long.parseUnsignedLong(text));
    } catch (NumberFormatException e) {
      throw CliException.hopeless("--seed is a whole number from 0 to 2^64 - 1", e);
    }
  }

  /// Reads the task back from its own parameters, which checks every range before anything is sent.
  private static Task checked(Task task) {
    return Task.of(task.kind(), task.parameters());
  }

  /// A task from options by name.
  static Task task(JobKind kind, Map<String, String> settings) {
    return Task.of(
        kind,
        new TreeMap<>(settings)
            .entrySet().stream()
                .map(e -> new Parameter(e.getKey(), e.getValue()))
                .collect(Collectors.toList()));
  }

  /// The root behind what a person names: the root itself, a training job whose model it is, or a
  /// folder here, whose files then go to the daemon.
  static Hash model(DaemonClient client, String named) {
    if (Files.isDirectory(Path.of(named))) {
      return client.uploadFolder(Path.of(named));
    }
    Hash hash;
    try {
      hash = Hash.fromHex(named);
    } catch (MalformedException e) {
      throw CliException.hopeless(
          "'" + named + "' is neither a folder nor the root of a model nor a job's id", e);
    }
    Optional<JsonNode> job = client.find("/v1/jobs/" + hash.hex());
    if (job.isEmpty()) {
      return hash;
    }
    JsonNode root = job.get().path("outputModel");
    if (root.isMissingNode()) {
      throw CliException.retry(
          "job " + named + " is " + JobText.state(job.get()) + " and has no model yet");
    }
    return Hash.fromHex(root.asText());
  }

  /// Uploads a text as a blob.
  static Hash uploadText(DaemonClient client, String text) {
    try {
      Path file = Files.createTempFile("rigmesh-input-", ".txt");
      try {
        Files.write(file, text.getBytes(StandardCharsets.UTF_8));
        return client.upload(file);
      } finally {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      throw CliException.retry("cannot write a temporary file: " + e.getMessage(), e);
    }
  }
}

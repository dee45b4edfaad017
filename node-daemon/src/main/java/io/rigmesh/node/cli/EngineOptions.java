package io.rigmesh.node.cli;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.task.LocalEngine;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// What the engine alone needs to know.
final class EngineOptions {
  @Option(
      names = "--model",
      required = true,
      paramLabel = "FOLDER",
      description = "A Hugging Face style folder.")
  private Path model;

  @Option(names = "--profile", defaultValue = "f32-v1", description = "The arithmetic.")
  private String profile;

  @Option(names = "--device", defaultValue = "cpu", description = "See 'rigmesh devices'.")
  private String device;

  @Option(names = "--threads", paramLabel = "N", description = "Default: one per processor.")
  private @Nullable Integer threads;

  Path model() {
    if (!Files.isDirectory(model)) {
      throw CliException.hopeless("there is no model folder " + model);
    }
    return model;
  }

  /// Opens the engine on the chosen device.
  LocalEngine open() {
    return LocalEngine.open(
        device,
        threads == null ? Runtime.getRuntime().availableProcessors() : threads,
        Profile.of(profile));
  }
}

package io.rigmesh.worker.train;

import io.rigmesh.worker.format.JsonField;
import io.rigmesh.worker.format.ModelFolder;
import io.rigmesh.worker.format.ModelFormatException;
import io.rigmesh.worker.format.SafetensorsFile;
import io.rigmesh.worker.format.SafetensorsWriter;
import io.rigmesh.worker.llama.LlamaConfig;
import io.rigmesh.worker.llama.LlamaParameters;
import io.rigmesh.worker.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// A [TrainingState] on disk: a folder `step-000000100` that is also a Hugging Face model folder.
///
/// It holds `config.json`, `model.safetensors`, `optimizer.safetensors` with the moments as
/// `moment1.NAME` and `moment2.NAME`, and `training.json` with the steps done. The folder gets its
/// name in one step after everything in it is on the disk, so a crash leaves a whole checkpoint or
/// none, and [#latest] never finds half of one.
public final class Checkpoint {
  private static final String PARTIAL = ".partial";
  private static final int STATE_BYTES_MAX = 1 << 16;

  private Checkpoint() {}

  /// Writes the state into a new folder under `parent` and returns that folder; one of the same
  /// step is left as it is, since equal steps of one run are equal to the bit.
  public static Path save(Path parent, TrainingState state) {
    Path folder = parent.resolve("step-%09d".formatted(state.stepsDone()));
    try {
      if (Files.isDirectory(folder)) {
        return folder;
      }
      Path partial = parent.resolve(folder.getFileName() + PARTIAL);
      delete(partial);
      state.parameters().write(partial);
      SafetensorsWriter writer = new SafetensorsWriter();
      state.moment1().addTo(writer, "moment1.");
      state.moment2().addTo(writer, "moment2.");
      writer.write(partial.resolve("optimizer.safetensors"));
      Files.writeString(
          partial.resolve("training.json"), "{\"stepsDone\": " + state.stepsDone() + "}\n");
      try (Stream<Path> files = Files.list(partial)) {
        for (Path file : files.toList()) {
          force(file);
        }
      }
      Files.move(partial, folder, StandardCopyOption.ATOMIC_MOVE);
      force(parent);
      return folder;
    } catch (IOException e) {
      throw new UncheckedIOException(
          "cannot write the checkpoint " + folder + ": " + e.getMessage(), e);
    }
  }

  /// The checkpoint with the most steps under `parent`, if there is any; partial ones that a crash
  /// left are passed over.
  public static Optional<Path> latest(Path parent) {
    return all(parent).stream().reduce((earlier, later) -> later);
  }

  /// Removes all checkpoints under `parent` but the `keep` latest, and what a crash left of
  /// unfinished ones.
  public static void prune(Path parent, int keep) {
    List<Path> folders = all(parent);
    try {
      for (int i = 0; i < folders.size() - keep; i++) {
        delete(folders.get(i));
      }
      try (Stream<Path> entries = Files.list(parent)) {
        for (Path entry :
            entries.filter(path -> path.getFileName().toString().endsWith(PARTIAL)).toList()) {
          delete(entry);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot prune " + parent + ": " + e.getMessage(), e);
    }
  }

  /// Reads a state back.
  ///
  /// @throws ModelFormatException when a file is missing or malformed, or does not fit the config
  ///   beside it
  public static TrainingState load(Path folder) {
    int stepsDone =
        JsonField.read(folder.resolve("training.json"), STATE_BYTES_MAX)
            .member("stepsDone")
            .integer(0, Integer.MAX_VALUE);
    LlamaParameters parameters;
    try (ModelFolder model = ModelFolder.open(folder)) {
      parameters = LlamaParameters.read(model);
    }
    LlamaConfig config = parameters.config();
    LlamaParameters moment1 = LlamaParameters.zeros(config);
    LlamaParameters moment2 = LlamaParameters.zeros(config);
    try (SafetensorsFile file = SafetensorsFile.open(folder.resolve("optimizer.safetensors"))) {
      copy(file, "moment1.", moment1);
      copy(file, "moment2.", moment2);
    }
    return new TrainingState(parameters, moment1, moment2, stepsDone);
  }

  private static void copy(SafetensorsFile file, String prefix, LlamaParameters moments) {
    moments
        .named()
        .forEach((name, tensor) -> {
          int[] shape = tensor.shape();
          long[] dimensions = new long[shape.length];
          for (int i = 0; i < shape.length; i++) {
            dimensions[i] = shape[i];
          }
          file.tensor(prefix + name, dimensions);
          tensor.copyFrom(Tensor.of(file.floats(prefix + name), shape));
        });
  }

  private static List<Path> all(Path parent) {
    if (!Files.isDirectory(parent)) {
      return List.of();
    }
    try (Stream<Path> entries = Files.list(parent)) {
      return entries
          .filter(path -> path.getFileName().toString().matches("step-\\d{9,10}"))
          .filter(Files::isDirectory)
          .sorted(Comparator.comparingLong(Checkpoint::stepsOf))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot list " + parent + ": " + e.getMessage(), e);
    }
  }

  private static long stepsOf(Path folder) {
    return Long.parseLong(folder.getFileName().toString().substring("step-".length()));
  }

  private static void force(Path path) throws IOException {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  private static void delete(Path path) throws IOException {
    if (!Files.exists(path)) {
      return;
    }
    try (Stream<Path> entries = Files.walk(path)) {
      for (Path entry : entries.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(entry);
      }
    }
  }
}

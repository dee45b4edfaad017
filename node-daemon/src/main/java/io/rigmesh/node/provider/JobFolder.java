package io.rigmesh.node.provider;

import io.rigmesh.node.blob.Blobs;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Job;
import io.rigmesh.worker.task.RunRequest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Optional;

/// The folder `jobs/<id>` of one job: its model and input laid out for the worker, what the worker
/// needs to go on after a crash, and its output.
///
/// @param path the folder
public record JobFolder(Path path) {
  /// The folder of a job below the folder of all jobs.
  public static JobFolder of(Path jobsFolder, Hash job) {
    return new JobFolder(jobsFolder.resolve(job.hex().substring(2)));
  }

  /// Where the output is written.
  public Path output() {
    return path.resolve("output");
  }

  /// Lays out what is not laid out yet, and says where.
  public RunRequest prepare(Job job, Blobs blobs) {
    try {
      Files.createDirectories(path);
      Path input = path.resolve("input");
      if (!Files.exists(input)) {
        blobs.materialiseFile(job.input(), input);
      }
      Optional<Path> model = Optional.empty();
      if (!job.model().isZero()) {
        model = Optional.of(path.resolve("model"));
        if (!Files.exists(model.get())) {
          // Under another name first, so that a crash cannot leave half a model under this one.
          Path partial = path.resolve("model.part");
          delete(partial);
          blobs.materialise(job.model(), partial);
          Files.move(partial, model.get(), StandardCopyOption.ATOMIC_MOVE);
        }
      }
      // What an earlier worker left of its output is made again from the checkpoints.
      delete(output());
      return new RunRequest(job, model, input, path.resolve("work"), output());
    } catch (IOException e) {
      throw new UncheckedIOException(
          "The folder " + path + " cannot be written: " + e.getMessage(), e);
    }
  }

  /// Removes the folder and all below it.
  public void delete() {
    try {
      delete(path);
    } catch (IOException e) {
      throw new UncheckedIOException(
          "The folder " + path + " cannot be removed: " + e.getMessage(), e);
    }
  }

  private static void delete(Path folder) throws IOException {
    try {
      Files.walkFileTree(
          folder,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                throws IOException {
              Files.delete(file);
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path directory, IOException failure)
                throws IOException {
              Files.delete(directory);
              return FileVisitResult.CONTINUE;
            }
          });
    } catch (NoSuchFileException e) {
      // Gone already, which is what was wanted.
      return;
    }
  }
}

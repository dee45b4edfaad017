package io.rigmesh.node.market;

import io.rigmesh.protocol.Digests;
import io.rigmesh.protocol.Hash;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.jdbi.v3.core.Jdbi;

/// What a test does behind a provider's back: to its worker's process, and to what that kept.
final class Worker {
  private Worker() {}

  /// Sends a signal to each worker of a node.
  static void signal(NodeProcess node, String name) throws Exception {
    for (ProcessHandle worker : node.workers()) {
      new ProcessBuilder("kill", "-" + name, Long.toString(worker.pid())).start().waitFor();
    }
  }

  /// Whether a node has written down that a job of its is to be called off.
  static boolean isCalledOff(NodeProcess node, String job) {
    return Jdbi.create("jdbc:sqlite:" + node.home().resolve("rigmesh.db"))
        .withHandle(handle ->
            handle
                .createQuery("SELECT cancel_asked FROM job WHERE id = :id")
                .bind("id", job)
                .mapTo(Boolean.class)
                .one());
  }

  /// Whether a training that is under way has come to one checkpoint, or begun where that is 0, and
  /// not to another. A stopped worker's files say so at once; what its node has heard of it may be
  /// seconds old.
  static boolean isBetween(NodeProcess node, String job, int reached, int notReached) {
    boolean begun =
        reached == 0
            ? Files.isDirectory(folder(node, job))
            : Files.exists(record(node, job, reached));
    return begun && !Files.exists(record(node, job, notReached));
  }

  private static Path folder(NodeProcess node, String job) {
    return node.home().resolve("jobs").resolve(job.substring(2));
  }

  private static Path record(NodeProcess node, String job, int checkpoint) {
    return folder(node, job).resolve("work/segments/step-%09d".formatted(checkpoint));
  }

  /// Raises the loss of a step by its last bit, in the record that a worker keeps of the steps up
  /// to a checkpoint: 56 bytes of tag, job, step and count, the losses, the state's root, and the
  /// SHA-256 of it all.
  ///
  /// @param step counted from the first of that record, which is 1
  /// @return what the loss is said to be now
  static float alterLoss(NodeProcess node, String job, int checkpoint, int step) throws Exception {
    Path file = record(node, job, checkpoint);
    byte[] bytes = Files.readAllBytes(file);
    ByteBuffer record = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int at = 56 + Float.BYTES * (step - 1);
    float lie = Math.nextUp(record.getFloat(at));
    record.putFloat(at, lie);
    int signedBytes = bytes.length - Hash.BYTES;
    record.put(signedBytes, Digests.sha256(Arrays.copyOf(bytes, signedBytes)).bytes());
    Files.write(file, bytes);
    return lie;
  }
}

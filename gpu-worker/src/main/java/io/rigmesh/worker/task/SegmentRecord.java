package io.rigmesh.worker.task;

import io.rigmesh.protocol.Digests;
import io.rigmesh.protocol.Hash;
import io.rigmesh.worker.format.AtomicFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// What a training did from one checkpoint to the next, kept in the work folder so that a process
/// that goes on can rebuild the commitment chain: the losses of the steps, and the root of the
/// state at their end. A file ends with the SHA-256 of all before it.
///
/// @param job the job's id
/// @param lastStep the checkpoint's step
/// @param losses of the steps up to it, since the one before
/// @param state the root of the state
record SegmentRecord(Hash job, int lastStep, List<Float> losses, Hash state) {
  private static final byte[] TAG = "rigmesh-segment1".getBytes(StandardCharsets.US_ASCII);
  private static final int FIXED_BYTES = TAG.length + 3 * Hash.BYTES + 8;

  SegmentRecord {
    losses = List.copyOf(losses);
  }

  /// The file of a checkpoint's segment.
  static Path file(Path folder, int lastStep) {
    return folder.resolve("step-%09d".formatted(lastStep));
  }

  void write(Path folder) {
    byte[] bytes = new byte[FIXED_BYTES + Float.BYTES * losses.size()];
    ByteBuffer out = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    out.put(TAG).put(job.bytes()).putInt(lastStep).putInt(losses.size());
    for (float loss : losses) {
      out.putFloat(loss);
    }
    out.put(state.bytes());
    out.put(Digests.sha256(Arrays.copyOf(bytes, out.position())).bytes());
    AtomicFile.write(file(folder, lastStep), bytes);
  }

  /// Reads a record back; empty if it is not there, torn, or of another job.
  ///
  /// @param lossesCount how many steps the segment has
  static Optional<SegmentRecord> read(Path folder, Hash job, int lastStep, int lossesCount) {
    Path file = file(folder, lastStep);
    byte[] bytes;
    try {
      if (!Files.isRegularFile(file)
          || Files.size(file) != FIXED_BYTES + (long) Float.BYTES * lossesCount) {
        return Optional.empty();
      }
      bytes = Files.readAllBytes(file);
    } catch (IOException e) {
      // A record that cannot be read is as good as none: its steps are taken again.
      return Optional.empty();
    }
    ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int signedBytes = bytes.length - Hash.BYTES;
    boolean whole =
        Digests.sha256(Arrays.copyOf(bytes, signedBytes)).equals(hash(in, signedBytes))
            && Arrays.equals(bytes, 0, TAG.length, TAG, 0, TAG.length)
            && hash(in, TAG.length).equals(job);
    in.position(TAG.length + Hash.BYTES);
    if (!whole || in.getInt() != lastStep || in.getInt() != lossesCount) {
      return Optional.empty();
    }
    List<Float> losses = new ArrayList<>(lossesCount);
    for (int i = 0; i < lossesCount; i++) {
      losses.add(in.getFloat());
    }
    return Optional.of(new SegmentRecord(job, lastStep, losses, hash(in, in.position())));
  }

  private static Hash hash(ByteBuffer in, int at) {
    byte[] bytes = new byte[Hash.BYTES];
    in.get(at, bytes);
    return Hash.of(bytes);
  }
}

package io.rigmesh.worker.verify;

import io.rigmesh.protocol.CommitmentChain;
import io.rigmesh.protocol.Evidence;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.Meter;
import io.rigmesh.protocol.Receipt;
import io.rigmesh.worker.embed.Embedder;
import io.rigmesh.worker.embed.EncoderLoader;
import io.rigmesh.worker.format.ElementType;
import io.rigmesh.worker.format.SafetensorsFile;
import io.rigmesh.worker.format.StoredTensor;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.task.EmbeddingRun;
import io.rigmesh.worker.task.JobInput;
import io.rigmesh.worker.task.RunEvent;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import java.util.function.Consumer;

/// Checks an embedding. The chain follows from the delivered vectors and is checked whole; the
/// sentences chosen are embedded again, each alone, and compared bit for bit.
final class EmbeddingCheck {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Kernels kernels;
  private final EncoderLoader encoders;
  private final Job job;
  private final Receipt receipt;
  private final Evidence.Embedding evidence;
  private final Materials materials;

  EmbeddingCheck(
      Kernels kernels,
      EncoderLoader encoders,
      Job job,
      Receipt receipt,
      Evidence.Embedding evidence,
      Materials materials) {
    this.kernels = kernels;
    this.encoders = encoders;
    this.job = job;
    this.receipt = receipt;
    this.evidence = evidence;
    this.materials = materials;
  }

  Recomputed run(Selection selection, Consumer<RunEvent.Progress> progress) {
    List<String> sentences = EmbeddingRun.sentences(materials.inputFile(), job);
    Path folder = JobInput.model(materials.modelFolder(), job);
    Path vectors = materials.outputFolder().resolve(EmbeddingRun.OUTPUT);
    try (Embedder embedder = Embedder.open(folder, kernels, job.profile(), encoders);
        SafetensorsFile file = SafetensorsFile.open(vectors)) {
      List<int[]> tokens = sentences.stream().map(embedder::tokens).toList();
      requireCounts(tokens);
      StoredTensor tensor = file.tensor(EmbeddingRun.TENSOR, tokens.size(), embedder.dimensions());
      Finding.require(
          tensor.type() == ElementType.F32,
          "The vectors are %s, not F32.".formatted(tensor.type()));
      MemorySegment rows = file.bytes(EmbeddingRun.TENSOR);
      requireChain(tokens, rows, embedder.dimensions());
      SortedSet<Integer> chosen = selection.of(tokens.size());
      long checked = 0;
      long startNanos = System.nanoTime();
      for (int index : chosen) {
        float[] vector = embedder.embedTokens(List.of(tokens.get(index))).getFirst();
        requireSame(index, vector, row(rows, index, embedder.dimensions()));
        checked++;
        progress.accept(new RunEvent.Progress(checked, chosen.size(), Optional.empty(), 0.0));
      }
      return new Recomputed(
          checked, tokens.size(), "sentences", Recomputed.secondsSince(startNanos));
    }
  }

  private void requireCounts(List<int[]> tokens) {
    long tokensIn = tokens.stream().mapToLong(sequence -> sequence.length).sum();
    Meter meter = new Meter(tokensIn, 0, tokens.size());
    Finding.require(
        receipt.meter().equals(meter),
        "The receipt's meter is %s, but the input gives %s.".formatted(receipt.meter(), meter));
    Finding.require(
        evidence.links().size() == tokens.size(),
        "The evidence has %d links for %d sentences."
            .formatted(evidence.links().size(), tokens.size()));
  }

  private void requireChain(List<int[]> tokens, MemorySegment rows, int dimensions) {
    CommitmentChain chain = EmbeddingRun.start(job, tokens);
    for (int index = 0; index < tokens.size(); index++) {
      Hash link = chain.vector(index, row(rows, index, dimensions));
      if (!link.equals(evidence.links().get(index))) {
        throw Finding.differs(
            index + 1L,
            "Sentence %d differs: its link is not the hash of the link before it, its index and the delivered vector."
                .formatted(index + 1));
      }
    }
  }

  private static void requireSame(int index, float[] computed, float[] delivered) {
    int at = Arrays.mismatch(bits(computed), bits(delivered));
    if (at >= 0) {
      throw Finding.differs(
          index + 1L,
          "Sentence %d differs: number %d of its vector is %s, but %s was delivered."
              .formatted(index + 1, at + 1, computed[at], delivered[at]));
    }
  }

  private static int[] bits(float[] values) {
    int[] bits = new int[values.length];
    for (int i = 0; i < bits.length; i++) {
      bits[i] = Float.floatToRawIntBits(values[i]);
    }
    return bits;
  }

  private static float[] row(MemorySegment rows, int index, int dimensions) {
    float[] row = new float[dimensions];
    MemorySegment.copy(rows, FLOAT, (long) index * dimensions * Float.BYTES, row, 0, dimensions);
    return row;
  }
}

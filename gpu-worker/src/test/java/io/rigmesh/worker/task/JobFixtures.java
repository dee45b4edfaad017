package io.rigmesh.worker.task;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.CommitmentChain;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.Evidence;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.Profile;
import io.rigmesh.protocol.Receipt;
import io.rigmesh.protocol.ReceiptFile;
import io.rigmesh.protocol.Task;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.worker.format.SafetensorsFile;
import io.rigmesh.worker.format.SafetensorsWriter;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.tensor.Tensor;
import io.rigmesh.worker.tokenizer.Tokenizer;
import io.rigmesh.worker.train.Checkpoint;
import io.rigmesh.worker.train.TrainingState;
import io.rigmesh.worker.verify.Materials;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;

/// Real jobs of a size that runs in a second or two, and the receipts for them.
public final class JobFixtures {
  public static final Domain DOMAIN =
      new Domain(31337, Address.fromHex("0x5fbdb2315678afecb367f032d93f642f64180aa3"));
  public static final AccountKey REQUESTER = AccountKey.fromHex("0x" + "11".repeat(32));
  public static final AccountKey PROVIDER = AccountKey.fromHex("0x" + "22".repeat(32));

  /// Twelve steps, a checkpoint every five: the last segment is shorter.
  public static final Task.Train TRAIN =
      new Task.Train(
          12,
          2,
          16,
          0.003f,
          2,
          0.1f,
          1f,
          5,
          Optional.of(new Task.Architecture(2, 32, 4, 2, 64, 300)));

  public static final Task.Generate GREEDY = new Task.Generate(9, 0f, 0, 1f);

  private JobFixtures() {}

  /// A text with a few hundred words, some of them not ASCII.
  public static String text() {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 60; i++) {
      text.append("The mill grinds ")
          .append(i % 7)
          .append(" sacks of rye, the naïve miller sings 夜 and counts: ")
          .append(i * i % 13)
          .append(".\n");
    }
    return text.toString();
  }

  public static Path write(Path file, String text) {
    try {
      Files.createDirectories(file.getParent());
      return Files.writeString(file, text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public static Job job(Task task, Hash model, Path input, long seed) {
    return new Job(
        task,
        model,
        Profile.F32_V1,
        Folders.rootOf(input),
        seed,
        TokenAmount.of(1_000),
        2_000_000_000L,
        REQUESTER.address(),
        BigInteger.valueOf(seed));
  }

  /// A request whose work and output lie in a folder of that name.
  public static RunRequest request(Job job, Optional<Path> model, Path input, Path folder) {
    return new RunRequest(job, model, input, folder.resolve("work"), folder.resolve("output"));
  }

  /// Runs a job in this process and expects it done.
  public static RunEvent.Done run(Kernels kernels, RunRequest request) {
    RunEvent.End end = run(kernels, request, new ArrayList<>(), () -> false);
    assertThat(end).isInstanceOf(RunEvent.Done.class);
    return (RunEvent.Done) end;
  }

  public static RunEvent.End run(
      Kernels kernels, RunRequest request, List<RunEvent> events, BooleanSupplier cancelled) {
    try (JobEngine engine = JobEngine.onCpu(kernels)) {
      return engine.run(request, events::add, cancelled);
    }
  }

  /// What a provider would hand over for a job done.
  public static ReceiptFile receiptFile(Job job, RunEvent.Done done) {
    return receiptFile(job, done, done.evidence());
  }

  /// As the other, with other evidence, to which the receipt's commitments are made to fit.
  public static ReceiptFile receiptFile(Job job, RunEvent.Done done, Evidence evidence) {
    Receipt receipt =
        new Receipt(
            job.id(),
            PROVIDER.address(),
            done.model(),
            done.meter(),
            evidence.links().getLast(),
            CommitmentChain.rootOf(evidence.links()),
            done.output(),
            "cpu",
            job.profile(),
            1_900_000_000L,
            1_900_000_001L,
            TokenAmount.of(900));
    return new ReceiptFile(
        DOMAIN, job.sign(REQUESTER, DOMAIN), receipt.sign(PROVIDER, DOMAIN), evidence);
  }

  public static Materials materials(RunRequest request) {
    return new Materials(request.modelFolder(), request.inputFile(), request.outputFolder());
  }

  /// The start of a training's chain, from the text and the trained model's tokenizer.
  public static CommitmentChain trainingChain(Job job, RunEvent.Done done, RunRequest request) {
    try (Tokenizer tokenizer =
        Tokenizer.open(request.outputFolder().resolve("model/tokenizer.json"))) {
      int[] tokens = TrainingText.tokens(tokenizer, text());
      return CommitmentChain.start(
          job.id(), done.model(), job.profile(), CommitmentChain.tokenDigest(List.of(tokens)));
    }
  }

  /// Runs a training whose memory flips the lowest bit of one weight after step 5, unseen by it.
  public static RunEvent.Done runSpoilt(Kernels kernels, RunRequest honest, Path folder) {
    RunRequest request = request(honest.job(), honest.modelFolder(), honest.inputFile(), folder);
    AtomicInteger asked = new AtomicInteger();
    run(kernels, request, new ArrayList<>(), () -> asked.getAndIncrement() > 5);
    Path checkpoints = request.workFolder().resolve("checkpoints");
    Path checkpoint = TrainingRun.checkpointFolder(checkpoints, 5);
    TrainingState state = Checkpoint.load(checkpoint);
    Tensor weight = state.parameters().named().values().iterator().next();
    weight.set(3, Float.intBitsToFloat(Float.floatToRawIntBits(weight.get(3)) ^ 1));
    Folders.delete(checkpoint);
    Checkpoint.save(checkpoints, state);
    Path segments = request.workFolder().resolve("segments");
    SegmentRecord record = SegmentRecord.read(segments, honest.job().id(), 5, 5).orElseThrow();
    new SegmentRecord(record.job(), 5, record.losses(), StateRoot.of(state)).write(segments);
    return run(kernels, request);
  }

  /// Changes the last bit of one number of a vector and makes links and roots fit.
  public static RunEvent.Done forgeVector(
      Job job, RunRequest request, RunEvent.Done done, int row) {
    Path file = request.outputFolder().resolve(EmbeddingRun.OUTPUT);
    float[] values;
    int dimensions;
    try (SafetensorsFile vectors = SafetensorsFile.open(file)) {
      values = vectors.floats(EmbeddingRun.TENSOR);
      dimensions = values.length / done.evidence().links().size();
    }
    int at = row * dimensions + 5;
    values[at] = Float.intBitsToFloat(Float.floatToRawIntBits(values[at]) ^ 1);
    new SafetensorsWriter()
        .add(EmbeddingRun.TENSOR, values, values.length / dimensions, dimensions)
        .write(file);
    // The links before the changed row are the honest ones.
    List<Hash> links = done.evidence().links().subList(0, row);
    CommitmentChain chain =
        CommitmentChain.resume(
            CommitmentChain.start(job.id(), job.model(), job.profile(), Hash.ZERO), links);
    for (int i = row; i * dimensions < values.length; i++) {
      chain.vector(i, Arrays.copyOfRange(values, i * dimensions, (i + 1) * dimensions));
    }
    return new RunEvent.Done(
        done.meter(),
        new Evidence.Embedding(chain.links()),
        done.model(),
        Folders.manifest(request.outputFolder()).root(),
        Optional.empty());
  }

  /// Flips one bit of a file.
  public static void flip(Path file, long byteAt, int bit) {
    try {
      byte[] bytes = Files.readAllBytes(file);
      bytes[(int) byteAt] ^= (byte) (1 << bit);
      // A new file: the old one may be a hard link to what another folder holds.
      Files.delete(file);
      Files.write(file, bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}

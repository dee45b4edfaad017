package io.rigmesh.worker.device;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.bert.BertWeights;
import io.rigmesh.worker.cuda.Accelerator;
import io.rigmesh.worker.cuda.CudaBertRunner;
import io.rigmesh.worker.cuda.CudaStepRunner;
import io.rigmesh.worker.cuda.LoadProgress;
import io.rigmesh.worker.embed.BertRunner;
import io.rigmesh.worker.embed.EncoderLoader;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.vector.CpuBackend;
import io.rigmesh.worker.llama.LlamaWeights;
import io.rigmesh.worker.serve.CpuStepRunner;
import io.rigmesh.worker.serve.EngineLimits;
import io.rigmesh.worker.serve.StepRunner;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A device that was opened for work: language models and encoders run on it, and what has no
/// kernels there (training) on the host beside it, with the same bits.
public final class ComputeDevice implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ComputeDevice.class);

  /// A GPU reads its weights once for all rows of a step, so it wants more of them than a CPU.
  private static final EngineLimits CUDA_LIMITS = new EngineLimits(128, 512, 512, 64, true);

  private final String id;
  private final Kernels host;
  private final Optional<Accelerator> accelerator;

  private ComputeDevice(String id, Kernels host, Optional<Accelerator> accelerator) {
    this.id = id;
    this.host = host;
    this.accelerator = accelerator;
  }

  /// Opens a device.
  ///
  /// @param id `cpu`, or such as `cuda:0`
  /// @param threads how many compute on the host, which never changes a bit
  /// @throws DeviceException if there is no such device, or it or its driver is too old
  public static ComputeDevice open(String id, int threads) {
    if (id.equals("cpu")) {
      return new ComputeDevice(id, CpuBackend.open(threads), Optional.empty());
    }
    Accelerator accelerator = Devices.openAccelerator(id);
    return new ComputeDevice(id, CpuBackend.open(threads), Optional.of(accelerator));
  }

  /// What computes on the host.
  public Kernels host() {
    return host;
  }

  /// `cpu` or `cuda`.
  public String kind() {
    return accelerator.isPresent() ? "cuda" : "cpu";
  }

  /// What receipts say of it.
  public String name() {
    return accelerator
        .map(device -> "%s, %s, %s".formatted(id, device.name(), device.architecture()))
        .orElseGet(() -> Devices.nameOf(host));
  }

  /// How many bytes of memory it has free for models; for the CPU, of this process's heap.
  public long memoryFreeBytes() {
    Runtime runtime = Runtime.getRuntime();
    return accelerator
        .map(Accelerator::memoryFreeBytes)
        .orElseGet(() -> runtime.maxMemory() - runtime.totalMemory() + runtime.freeMemory());
  }

  /// How many bytes of memory it has for models; for the CPU, of this process's heap.
  public long memoryTotalBytes() {
    return accelerator
        .map(Accelerator::memoryTotalBytes)
        .orElseGet(() -> Runtime.getRuntime().maxMemory());
  }

  /// How much a model on it takes on at once.
  public EngineLimits limits() {
    return accelerator.isPresent() ? CUDA_LIMITS : EngineLimits.usual();
  }

  /// Loads models whose hidden states alone will be asked for.
  public EncoderLoader encoders() {
    EncoderLoader onHost = EncoderLoader.onCpu(host);
    return accelerator
        .map(device -> (EncoderLoader) new OnAccelerator(device, onHost))
        .orElse(onHost);
  }

  /// Loads models onto a device; what it throws for too little memory is a
  /// [io.rigmesh.worker.cuda.CudaException].
  private record OnAccelerator(Accelerator device, EncoderLoader host) implements EncoderLoader {
    /// Tokens of one pass of BERT: a GPU reads its weights once for all of them.
    private static final int PASS_TOKENS = 8192;

    private static final LoadProgress PROGRESS =
        (bytes, bytesTotal) -> LOG.debug("{} of {} bytes of weights loaded", bytes, bytesTotal);

    @Override
    public StepRunner decoder(LlamaWeights weights, Profile profile, int pages, int rows) {
      return new CudaStepRunner(
          device, weights, profile, CudaStepRunner.Sizes.forStates(pages, rows), PROGRESS);
    }

    @Override
    public BertRunner bert(BertWeights weights, Profile profile, int tokensMax) {
      if (!CudaBertRunner.serves(weights.config(), device.architecture())) {
        LOG.warn(
            "{} has no kernel for attention heads of {} numbers, so this encoder runs on the host",
            device.name(),
            weights.config().headLayout().headDim());
        return host.bert(weights, profile, tokensMax);
      }
      int rows = Math.max(PASS_TOKENS, tokensMax);
      while (rows > tokensMax
          && CudaBertRunner.bytes(weights, profile, rows) > device.memoryFreeBytes()) {
        rows = Math.max(rows / 2, tokensMax);
      }
      return new CudaBertRunner(device, weights, profile, rows, PROGRESS);
    }
  }

  /// Loads a model.
  ///
  /// @param limits how many sequences there will be at once
  /// @throws io.rigmesh.worker.cuda.CudaException when the device has too little memory
  public StepRunner load(LlamaWeights weights, Profile profile, EngineLimits limits) {
    if (accelerator.isEmpty()) {
      return CpuStepRunner.load(host, weights, profile, limits);
    }
    int[] tenths = {0};
    return CudaStepRunner.load(
        accelerator.get(),
        weights,
        profile,
        limits,
        (bytes, bytesTotal) -> {
          int done = Math.toIntExact(10 * bytes / Math.max(1, bytesTotal));
          if (done > tenths[0]) {
            tenths[0] = done;
            LOG.info("{}: {} of {} MiB of weights loaded", id, bytes >> 20, bytesTotal >> 20);
          }
        });
  }

  /// Gives the device and the host's threads back.
  @Override
  public void close() {
    accelerator.ifPresent(Accelerator::close);
    host.close();
  }
}

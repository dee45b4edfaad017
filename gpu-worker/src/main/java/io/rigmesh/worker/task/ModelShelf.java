package io.rigmesh.worker.task;

import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.device.ComputeDevice;
import io.rigmesh.worker.embed.EncoderLoader;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.serve.CpuStepRunner;
import io.rigmesh.worker.serve.EngineLimits;
import java.nio.file.Path;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The language model that a device holds: loaded by the first job that names it, shared by all
/// that do, and kept until another model or another kind of job needs the memory. Safe for use by
/// several threads.
public final class ModelShelf implements AutoCloseable {
  private final Kernels kernels;
  private final LanguageModel.Loader loader;
  private final EngineLimits limits;
  private final EncoderLoader encoders;
  private final ReentrantLock lock = new ReentrantLock();
  private @Nullable Loaded loaded;

  private static final class Loaded {
    final Hash root;
    final Profile profile;
    final LanguageModel model;
    int users;

    Loaded(Hash root, Profile profile, LanguageModel model) {
      this.root = root;
      this.profile = profile;
      this.model = model;
    }
  }

  /// @param kernels what samples; it stays the caller's to close
  public ModelShelf(Kernels kernels, LanguageModel.Loader loader, EngineLimits limits) {
    this(kernels, loader, limits, EncoderLoader.onCpu(kernels));
  }

  private ModelShelf(
      Kernels kernels, LanguageModel.Loader loader, EngineLimits limits, EncoderLoader encoders) {
    this.kernels = kernels;
    this.loader = loader;
    this.limits = limits;
    this.encoders = encoders;
  }

  /// A shelf in the memory of the CPU.
  ///
  /// @param kernels what computes; it stays the caller's to close
  public static ModelShelf onCpu(Kernels kernels) {
    return new ModelShelf(
        kernels,
        (weights, profile, limits) -> CpuStepRunner.load(kernels, weights, profile, limits),
        EngineLimits.usual());
  }

  /// A shelf in the memory of a device.
  ///
  /// @param device what computes; it stays the caller's to close
  public static ModelShelf on(ComputeDevice device) {
    return new ModelShelf(device.host(), device::load, device.limits(), device.encoders());
  }

  /// A model in use; closing it only says that its user is done.
  public final class Use implements AutoCloseable {
    private final Loaded used;
    private boolean done;

    private Use(Loaded used) {
      this.used = used;
    }

    /// The model.
    public LanguageModel model() {
      return used.model;
    }

    @Override
    public void close() {
      lock.lock();
      try {
        used.users -= done ? 0 : 1;
        done = true;
      } finally {
        lock.unlock();
      }
    }
  }

  /// Where models for vectors run; they are not kept on the shelf.
  public EncoderLoader encoders() {
    return encoders;
  }

  /// How many sequences one model generates at once.
  public int sequencesMax() {
    return limits.sequencesMax();
  }

  /// A model by its root; loaded unless it is here.
  ///
  /// @param folder where it lies; asked only if it has to be loaded
  /// @throws IllegalStateException if another model is in use
  public Use use(Hash root, Profile profile, Supplier<Path> folder) {
    lock.lock();
    try {
      Loaded here = loaded;
      if (here == null || !here.root.equals(root) || here.profile != profile) {
        clear();
        here =
            new Loaded(
                root, profile, LanguageModel.open(folder.get(), profile, kernels, loader, limits));
        loaded = here;
      }
      here.users++;
      return new Use(here);
    } finally {
      lock.unlock();
    }
  }

  /// Frees the memory of the model that is here.
  ///
  /// @throws IllegalStateException if it is in use
  public void clear() {
    lock.lock();
    try {
      Loaded here = loaded;
      if (here == null) {
        return;
      }
      if (here.users > 0) {
        throw new IllegalStateException(
            "%d jobs use the model %s in %s, so its memory cannot be given to another"
                .formatted(here.users, here.root, here.profile));
      }
      loaded = null;
      here.model.close();
    } finally {
      lock.unlock();
    }
  }

  /// Frees the model, whoever uses it.
  @Override
  public void close() {
    lock.lock();
    try {
      Loaded here = loaded;
      loaded = null;
      if (here != null) {
        here.model.close();
      }
    } finally {
      lock.unlock();
    }
  }
}

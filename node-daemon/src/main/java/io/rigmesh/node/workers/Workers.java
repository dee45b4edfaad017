package io.rigmesh.node.workers;

import io.rigmesh.node.DeviceView;
import io.rigmesh.node.Service;
import io.rigmesh.node.config.WorkersConfig;
import io.rigmesh.worker.process.WorkerDescription;
import io.rigmesh.worker.process.WorkerException;
import io.rigmesh.worker.process.WorkerProcess;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One worker process per device: started, watched, and started again with growing pauses when it
/// ends, each end logged with its reason. Safe for use by several threads.
public final class Workers implements Service {
  private static final Logger LOG = LoggerFactory.getLogger(Workers.class);
  private static final long FIRST_DELAY_MILLIS = 200;

  /// A worker that served for so long has nothing wrong with it in general.
  private static final Duration SOUND_AFTER = Duration.ofSeconds(30);

  private final WorkersConfig config;
  private final WorkerLaunches launches;
  private final WorkerWatch watch;
  private final Map<String, Supervised> devices = new LinkedHashMap<>();
  private final List<Thread> threads = new ArrayList<>();
  private volatile boolean stopping;

  /// Workers for the devices of the settings.
  public Workers(WorkersConfig config, WorkerLaunches launches, WorkerWatch watch) {
    this.config = config;
    this.launches = launches;
    this.watch = watch;
    config.devices().forEach(device -> devices.put(device, new Supervised(device)));
  }

  /// How a device's worker stands.
  ///
  /// @param device the device's id
  /// @param state whether it serves
  /// @param reason why it does not, or empty
  /// @param description what it last said of its device
  /// @param restarts how often it was started again
  public record Status(
      String device,
      DeviceView.State state,
      String reason,
      Optional<WorkerDescription> description,
      long restarts) {}

  @Override
  public String name() {
    return "workers";
  }

  @Override
  public void start() {
    int number = 0;
    for (Supervised device : devices.values()) {
      String socket = Integer.toString(number++);
      threads.add(
          Thread.ofVirtual().name("worker-" + device.id).start(() -> device.supervise(socket)));
    }
  }

  @Override
  public void stop() {
    stopping = true;
    threads.forEach(Thread::interrupt);
    for (Thread thread : threads) {
      try {
        thread.join(Duration.ofSeconds(15));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /// The worker of a device.
  ///
  /// @throws WorkersException if it does not serve now
  public Worker require(String device) {
    Supervised supervised = devices.get(device);
    Worker worker = supervised == null ? null : supervised.worker;
    if (worker == null) {
      throw new WorkersException("the worker of device " + device + " does not serve now");
    }
    return worker;
  }

  /// How every device's worker stands.
  public List<Status> statuses() {
    return devices.values().stream().map(Supervised::status).toList();
  }

  /// One device's worker over the daemon's life.
  private final class Supervised {
    private final String id;
    private volatile @Nullable Worker worker;
    private volatile @Nullable WorkerDescription description;
    private volatile DeviceView.State state = DeviceView.State.STARTING;
    private volatile String reason = "";
    private final AtomicLong restarts = new AtomicLong();

    Supervised(String id) {
      this.id = id;
    }

    Status status() {
      return new Status(id, state, reason, Optional.ofNullable(description), restarts.get());
    }

    void supervise(String socket) {
      long delayMillis = FIRST_DELAY_MILLIS;
      try {
        while (!stopping) {
          long startedAtNanos = System.nanoTime();
          reason = serve(socket);
          if (stopping) {
            break;
          }
          state = DeviceView.State.RESTARTING;
          boolean sound = System.nanoTime() - startedAtNanos > SOUND_AFTER.toNanos();
          delayMillis =
              sound
                  ? FIRST_DELAY_MILLIS
                  : Math.min(2 * delayMillis, config.restartDelayMillisMax());
          LOG.warn("{}; it is started again in {} ms", reason, delayMillis);
          Thread.sleep(delayMillis);
          restarts.incrementAndGet();
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      } finally {
        state = DeviceView.State.STOPPED;
        reason = "the daemon is stopping";
      }
    }

    /// Runs one process to its end and says why it ended.
    private String serve(String socket) throws InterruptedException {
      try (WorkerProcess process =
          WorkerProcess.start(
              launches.of(id, socket),
              line -> LOG.info("[worker {}] {}", id, line),
              Duration.ofSeconds(config.startTimeoutSeconds()))) {
        WorkerDescription now = process.client().describe();
        CompletableFuture<Void> gone = new CompletableFuture<>();
        description = now;
        worker =
            new Worker(id, now, process.client(), () -> process.handle().destroyForcibly(), gone);
        state = DeviceView.State.READY;
        reason = "";
        LOG.info("the worker of device {} serves: {}", id, now.deviceName());
        watch.serves(id, now);
        try {
          int status = process.ended().get();
          return "the worker of device " + id + " ended with status " + status;
        } finally {
          worker = null;
          // Before anybody may believe that it serves again.
          watch.stopsServing(id);
          gone.complete(null);
        }
      } catch (WorkerException | UncheckedIOException e) {
        return "the worker of device " + id + " did not start: " + e.getMessage();
      } catch (ExecutionException e) {
        return "the worker of device " + id + " was lost: " + e.getMessage();
      }
    }
  }
}

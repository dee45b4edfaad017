package io.rigmesh.worker.process;

import static java.util.concurrent.TimeUnit.SECONDS;

import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.MalformedException;
import io.rigmesh.protocol.Profile;
import io.rigmesh.protocol.ProtocolJson;
import io.rigmesh.protocol.ReceiptFile;
import io.rigmesh.worker.device.ComputeDevice;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.task.Allowance;
import io.rigmesh.worker.task.FailureCode;
import io.rigmesh.worker.task.JobEngine;
import io.rigmesh.worker.task.ModelShelf;
import io.rigmesh.worker.task.RunEvent;
import io.rigmesh.worker.task.RunRequest;
import io.rigmesh.worker.verify.Materials;
import io.rigmesh.worker.verify.Samples;
import io.rigmesh.worker.verify.Verdict;
import io.rigmesh.worker.verify.Verifier;
import io.rigmesh.worker.wire.AllowRequest;
import io.rigmesh.worker.wire.AllowResponse;
import io.rigmesh.worker.wire.CancelRequest;
import io.rigmesh.worker.wire.CancelResponse;
import io.rigmesh.worker.wire.DescribeRequest;
import io.rigmesh.worker.wire.DescribeResponse;
import io.rigmesh.worker.wire.VerifyEvent;
import io.rigmesh.worker.wire.VerifyRequest;
import io.rigmesh.worker.wire.WorkerGrpc;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The calls of worker.proto. Generations with one model and profile run beside each other, as many
/// as the engine takes; anything else runs alone. What does not fit with what runs is refused,
/// since queueing is the daemon's business.
final class WorkerService extends WorkerGrpc.WorkerImplBase {
  private static final Logger LOG = LoggerFactory.getLogger(WorkerService.class);
  private static final int RECEIPT_BYTES_MAX = WireLimits.EVENT_BYTES_MAX;

  private final ComputeDevice device;
  private final Kernels kernels;
  private final ModelShelf shelf;
  private final JobEngine engine;
  private final Runnable outOfMemory;
  private final ExecutorService compute =
      Executors.newCachedThreadPool(Thread.ofPlatform().name("job-", 0).daemon().factory());
  private final Running running;

  WorkerService(ComputeDevice device, ModelShelf shelf, Runnable outOfMemory) {
    this.device = device;
    this.kernels = device.host();
    this.shelf = shelf;
    this.engine = new JobEngine(kernels, shelf);
    this.outOfMemory = outOfMemory;
    this.running = new Running(shelf.sequencesMax());
  }

  @Override
  public void describe(DescribeRequest request, StreamObserver<DescribeResponse> answer) {
    answer.onNext(
        DescribeResponse.newBuilder()
            .setDeviceName(device.name())
            .setKind(device.kind())
            .setMemoryTotalBytes(device.memoryTotalBytes())
            .setMemoryFreeBytes(device.memoryFreeBytes())
            .setThreads(kernels.threads())
            .addAllProfiles(Arrays.stream(Profile.values()).map(Profile::id).toList())
            .setProcessId(ProcessHandle.current().pid())
            .setGenerationsMax(running.generationsMax())
            .build());
    answer.onCompleted();
  }

  @Override
  public void run(
      io.rigmesh.worker.wire.RunRequest wire,
      StreamObserver<io.rigmesh.worker.wire.RunEvent> observer) {
    RunRequest request;
    try {
      request =
          new RunRequest(
              Job.fromCanonicalBytes(wire.getCanonicalJob().toByteArray()),
              folder(wire.getModelFolder()),
              Path.of(wire.getInputFile()),
              Path.of(wire.getWorkFolder()),
              Path.of(wire.getOutputFolder()),
              wire.hasTokensAllowed()
                  ? OptionalLong.of(allowed(wire.getTokensAllowed()))
                  : OptionalLong.empty());
    } catch (MalformedException e) {
      observer.onNext(
          WireEvents.write(new RunEvent.Failed(FailureCode.INVALID_INPUT, e.sentence())));
      observer.onCompleted();
      return;
    }
    begin(
        new Running.Work(
            request.job(),
            request.tokensAllowed().isPresent()
                ? new Allowance(request.tokensAllowed().getAsLong())
                : Allowance.unlimited()),
        observer,
        work -> {
          RunEvent.End end =
              engine.run(
                  request,
                  event -> observer.onNext(WireEvents.write(event)),
                  work::wanted,
                  work.allowance());
          observer.onNext(WireEvents.write(end));
          return end instanceof RunEvent.Failed failed
              && failed.code() == FailureCode.OUT_OF_MEMORY;
        });
  }

  @Override
  public void cancel(CancelRequest request, StreamObserver<CancelResponse> answer) {
    boolean mine = running.cancel(WireEvents.hash(request.getJobId()), request.getConclude());
    answer.onNext(CancelResponse.newBuilder().setRunning(mine).build());
    answer.onCompleted();
  }

  @Override
  public void allow(AllowRequest request, StreamObserver<AllowResponse> answer) {
    boolean mine = running.allow(WireEvents.hash(request.getJobId()), allowed(request.getTokens()));
    answer.onNext(AllowResponse.newBuilder().setRunning(mine).build());
    answer.onCompleted();
  }

  @Override
  public void verify(VerifyRequest request, StreamObserver<VerifyEvent> observer) {
    ReceiptFile receipt;
    try {
      receipt = ProtocolJson.readReceiptFile(bytes(Path.of(request.getReceiptFile())));
    } catch (IOException e) {
      answer(observer, new Verdict.Invalid("The receipt cannot be read: " + e.getMessage()));
      return;
    } catch (MalformedException e) {
      answer(observer, new Verdict.Invalid(e.sentence()));
      return;
    }
    Materials materials =
        new Materials(
            folder(request.getModelFolder()),
            Path.of(request.getInputFile()),
            Path.of(request.getOutputFolder()));
    Samples samples =
        request.getAll()
            ? new Samples.All()
            : new Samples.Some(request.getSamples(), request.getSampleSeed());
    begin(
        new Running.Work(receipt.receipt().receipt().job()),
        observer,
        work -> {
          Verdict verdict =
              new Verifier(kernels, shelf)
                  .verify(
                      receipt,
                      materials,
                      samples,
                      progress -> {
                        if (work.isCancelled()) {
                          throw new CancellationException("the verification was cancelled");
                        }
                        observer.onNext(
                            VerifyEvent.newBuilder()
                                .setProgress(WireEvents.write(progress))
                                .build());
                      });
          observer.onNext(VerifyEvent.newBuilder().setVerdict(WireEvents.write(verdict)).build());
          return false;
        });
  }

  /// Cancels what runs, and takes nothing new.
  void close() {
    running.cancelAll();
    compute.shutdown();
    try {
      // A step may take long; the process ends anyway and its checkpoints are whole.
      if (compute.awaitTermination(2, SECONDS)) {
        engine.close();
        device.close();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /// What a thread does for one call.
  private interface Body {
    /// Sends the events, and says whether memory ran out.
    boolean run(Running.Work work);
  }

  private <E> void begin(Running.Work work, StreamObserver<E> observer, Body body) {
    Optional<String> refusal = running.begin(work);
    if (refusal.isPresent()) {
      observer.onError(
          Status.FAILED_PRECONDITION.withDescription(refusal.get()).asRuntimeException());
      return;
    }
    // The caller's going away, however it happens, cancels the job.
    ((ServerCallStreamObserver<E>) observer).setOnCancelHandler(work::cancel);
    compute.execute(() -> {
      boolean memoryRanOut = false;
      @Nullable Throwable fault = null;
      try {
        memoryRanOut = body.run(work);
      } catch (CancellationException e) {
        fault = Status.CANCELLED.withDescription(e.getMessage()).asRuntimeException();
      } catch (OutOfMemoryError e) {
        memoryRanOut = true;
        fault = Status.RESOURCE_EXHAUSTED.withDescription(e.getMessage()).asRuntimeException();
      } catch (RuntimeException | Error e) {
        LOG.error("job {} ended with a fault of the worker", work.job(), e);
        fault = Status.INTERNAL.withDescription(e.toString()).asRuntimeException();
      } finally {
        // Before the last word, so that who hears it can send the next job.
        running.end(work);
      }
      if (fault == null) {
        observer.onCompleted();
      } else {
        observer.onError(fault);
      }
      if (memoryRanOut) {
        outOfMemory.run();
      }
    });
  }

  private static void answer(StreamObserver<VerifyEvent> observer, Verdict verdict) {
    observer.onNext(VerifyEvent.newBuilder().setVerdict(WireEvents.write(verdict)).build());
    observer.onCompleted();
  }

  /// A number on the wire has no sign, and what is above the largest with one is as good as all.
  private static long allowed(long tokens) {
    return tokens < 0 ? Long.MAX_VALUE : tokens;
  }

  private static Optional<Path> folder(String path) {
    return path.isEmpty() ? Optional.empty() : Optional.of(Path.of(path));
  }

  private static byte[] bytes(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes(RECEIPT_BYTES_MAX + 1);
      if (bytes.length > RECEIPT_BYTES_MAX) {
        throw new IOException(
            file + " has more than " + RECEIPT_BYTES_MAX + " bytes, so it is no receipt");
      }
      return bytes;
    }
  }
}

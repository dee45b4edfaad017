package io.rigmesh.worker.process;

import static java.util.concurrent.TimeUnit.SECONDS;

import com.google.protobuf.ByteString;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.MalformedException;
import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.process.WorkerException.Reason;
import io.rigmesh.worker.task.RunEvent;
import io.rigmesh.worker.task.RunRequest;
import io.rigmesh.worker.verify.Materials;
import io.rigmesh.worker.verify.Samples;
import io.rigmesh.worker.verify.Verdict;
import io.rigmesh.worker.wire.AllowRequest;
import io.rigmesh.worker.wire.AllowResponse;
import io.rigmesh.worker.wire.CancelRequest;
import io.rigmesh.worker.wire.DescribeRequest;
import io.rigmesh.worker.wire.VerifyRequest;
import io.rigmesh.worker.wire.WorkerGrpc;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Talks to one worker process. All methods block, and are meant for virtual threads; an interrupt
/// of the calling thread cancels the call. Safe for use by several threads.
///
/// The Unix domain socket is the JDK's own, which needs no native library.
public final class WorkerClient implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(WorkerClient.class);
  private static final long ANSWER_SECONDS_MAX = 30;

  private final Path socket;
  private final EventLoopGroup loop;
  private final ManagedChannel channel;
  private final WorkerGrpc.WorkerBlockingStub stub;
  private final WorkerGrpc.WorkerStub pushing;

  private WorkerClient(Path socket) {
    this.socket = socket;
    this.loop =
        new MultiThreadIoEventLoopGroup(
            1, new DefaultThreadFactory("worker-client", true), NioIoHandler.newFactory());
    this.channel =
        NettyChannelBuilder.forAddress(UnixDomainSocketAddress.of(socket))
            .channelType(NioDomainSocketChannel.class, UnixDomainSocketAddress.class)
            .eventLoopGroup(loop)
            .usePlaintext()
            .directExecutor()
            .overrideAuthority("worker")
            .maxInboundMessageSize(WireLimits.EVENT_BYTES_MAX)
            .build();
    this.stub = WorkerGrpc.newBlockingStub(channel);
    this.pushing = WorkerGrpc.newStub(channel);
  }

  /// A client of the worker that listens on that socket; the connection is made with the first
  /// call.
  public static WorkerClient connect(Path socket) {
    return new WorkerClient(socket.toAbsolutePath());
  }

  /// What the worker says of its device.
  ///
  /// @throws WorkerException if it does not answer
  public WorkerDescription describe() {
    try {
      var answer =
          stub.withDeadlineAfter(ANSWER_SECONDS_MAX, SECONDS)
              .describe(DescribeRequest.getDefaultInstance());
      return new WorkerDescription(
          answer.getDeviceName(),
          answer.getKind(),
          answer.getMemoryTotalBytes(),
          answer.getMemoryFreeBytes(),
          answer.getThreads(),
          answer.getProfilesList().stream().map(Profile::of).toList(),
          answer.getProcessId(),
          answer.getGenerationsMax());
    } catch (StatusRuntimeException | MalformedException e) {
      throw failure("asked to describe itself", e);
    }
  }

  /// Runs a job to its end.
  ///
  /// @param observer gets every event but the last, in order, on the calling thread; what it throws
  ///   cancels the job
  /// @return the last event
  /// @throws WorkerException if the worker is busy or lost; after a loss the job may be run again
  ///   with the same work folder, on a restarted worker
  public RunEvent.End run(RunRequest request, Consumer<RunEvent> observer) {
    var wire =
        io.rigmesh.worker.wire.RunRequest.newBuilder()
            .setCanonicalJob(ByteString.copyFrom(request.job().canonicalBytes()))
            .setModelFolder(request.modelFolder().map(WorkerClient::text).orElse(""))
            .setInputFile(text(request.inputFile()))
            .setWorkFolder(text(request.workFolder()))
            .setOutputFolder(text(request.outputFolder()));
    request.tokensAllowed().ifPresent(wire::setTokensAllowed);
    return stream(
        "running job " + request.job().id(),
        () -> stub.run(wire.build()),
        event ->
            switch (WireEvents.read(event)) {
              case RunEvent.End end -> end;
              case RunEvent other -> {
                observer.accept(other);
                yield null;
              }
            });
  }

  /// Cancels a job within one step.
  ///
  /// @return false if the worker does not run it
  /// @throws WorkerException if the worker does not answer
  public boolean cancel(Hash job) {
    return cancel(job, false);
  }

  /// Ends a job within one step. A generation that has tokens then ends as done, with these tokens
  /// and the finish `cancelled`; any other job is cancelled.
  ///
  /// @return false if the worker does not run it
  /// @throws WorkerException if the worker does not answer
  public boolean conclude(Hash job) {
    return cancel(job, true);
  }

  private boolean cancel(Hash job, boolean conclude) {
    try {
      return stub.withDeadlineAfter(ANSWER_SECONDS_MAX, SECONDS)
          .cancel(
              CancelRequest.newBuilder()
                  .setJobId(WireEvents.bytes(job))
                  .setConclude(conclude)
                  .build())
          .getRunning();
    } catch (StatusRuntimeException e) {
      throw failure("asked to cancel job " + job, e);
    }
  }

  /// Lets a job use so many tokens, counted from its start; fewer than before change nothing. Does
  /// not wait for the worker, and says nothing if it is lost, which who runs the job hears anyway.
  public void allow(Hash job, long tokens) {
    pushing
        .withDeadlineAfter(ANSWER_SECONDS_MAX, SECONDS)
        .allow(
            AllowRequest.newBuilder().setJobId(WireEvents.bytes(job)).setTokens(tokens).build(),
            new AllowAnswer(job));
  }

  /// What becomes of an allowance.
  private record AllowAnswer(Hash job) implements StreamObserver<AllowResponse> {
    @Override
    public void onNext(AllowResponse answer) {
      if (!answer.getRunning()) {
        LOG.debug("job {} had ended when it was allowed more tokens", job);
      }
    }

    @Override
    public void onError(Throwable cause) {
      LOG.debug("job {} was not allowed more tokens", job, cause);
    }

    @Override
    public void onCompleted() {}
  }

  /// Recomputes what a receipt claims.
  ///
  /// @param receiptFile the path of a `receipt.json`
  /// @param observer gets the progress, on the calling thread
  /// @throws WorkerException if the worker is busy or lost
  public Verdict verify(
      Path receiptFile,
      Materials materials,
      Samples samples,
      Consumer<RunEvent.Progress> observer) {
    VerifyRequest.Builder wire =
        VerifyRequest.newBuilder()
            .setReceiptFile(text(receiptFile))
            .setModelFolder(materials.modelFolder().map(WorkerClient::text).orElse(""))
            .setInputFile(text(materials.inputFile()))
            .setOutputFolder(text(materials.outputFolder()));
    switch (samples) {
      case Samples.All() -> wire.setAll(true);
      case Samples.Some(var count, var seed) -> wire.setSamples(count).setSampleSeed(seed);
    }
    return stream(
        "verifying " + receiptFile,
        () -> stub.verify(wire.build()),
        event ->
            switch (event.getEventCase()) {
              case PROGRESS -> {
                observer.accept(WireEvents.read(event.getProgress()));
                yield null;
              }
              case VERDICT -> WireEvents.read(event.getVerdict());
              case EVENT_NOT_SET -> throw new MalformedException("a worker sent an empty event");
            });
  }

  /// Breaks off what is still running and closes the connection.
  @Override
  public void close() {
    channel.shutdownNow();
    loop.shutdownGracefully(0, 1, SECONDS).awaitUninterruptibly(2, SECONDS);
  }

  /// One event of a stream: the answer if it is the last, otherwise null.
  private interface Reader<E, A> {
    @Nullable A read(E event);
  }

  private interface Call<E> {
    Iterator<E> start();
  }

  private <E, A> A stream(String doing, Call<E> call, Reader<E, A> reader) {
    try (Context.CancellableContext context = Context.current().withCancellation()) {
      Context before = context.attach();
      try {
        Iterator<E> events = call.start();
        while (events.hasNext()) {
          A answer = reader.read(events.next());
          if (answer != null) {
            return answer;
          }
        }
      } finally {
        context.detach(before);
      }
      throw new WorkerException(
          Reason.FAULTY, "The worker at " + socket + " ended " + doing + " without a result.");
    } catch (StatusRuntimeException | MalformedException e) {
      throw failure(doing, e);
    } catch (RejectedExecutionException e) {
      throw new WorkerException(
          Reason.LOST, "The worker at " + socket + " was let go (" + doing + ").", e);
    }
  }

  private WorkerException failure(String doing, RuntimeException e) {
    Status status = Status.fromThrowable(e);
    String said = status.getDescription() == null ? e.getMessage() : status.getDescription();
    return switch (status.getCode()) {
      case FAILED_PRECONDITION ->
          new WorkerException(Reason.BUSY, "The worker at " + socket + " is busy: " + said, e);
      case UNAVAILABLE ->
          new WorkerException(
              Reason.LOST, "The worker at " + socket + " is not there (" + doing + "): " + said, e);
      case DEADLINE_EXCEEDED ->
          new WorkerException(
              Reason.TIMED_OUT,
              "The worker at %s did not answer within %d seconds (%s)."
                  .formatted(socket, ANSWER_SECONDS_MAX, doing),
              e);
      default ->
          new WorkerException(
              Reason.FAULTY, "The worker at " + socket + " failed (" + doing + "): " + said, e);
    };
  }

  private static String text(Path path) {
    return path.toAbsolutePath().toString();
  }
}

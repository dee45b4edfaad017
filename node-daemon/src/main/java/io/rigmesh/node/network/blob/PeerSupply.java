package io.rigmesh.node.network.blob;

import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.node.blob.BlobException;
import io.rigmesh.node.blob.BlobRefusedException;
import io.rigmesh.node.jobs.RefusedException;
import io.rigmesh.node.models.ModelConfig;
import io.rigmesh.node.provider.Supply;
import io.rigmesh.protocol.FolderManifest;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.MalformedException;
import io.rigmesh.protocol.RefusalCode;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// The files of a job from the peer that hands it in, and from whoever else has them. The streams
/// run over the connection that the peer has opened, so that it may be behind a NAT.
public final class PeerSupply implements Supply {
  /// How long the few bytes may take in all that are fetched of a job's model before anything is
  /// decided about the job.
  private static final Duration SHAPE_MAX = Duration.ofSeconds(30);

  private final BlobFetcher fetcher;
  private final PeerId peer;
  private final long inputBytes;

  /// The files of a peer's jobs.
  ///
  /// @param inputBytes how long it says that the input is
  public PeerSupply(BlobFetcher fetcher, PeerId peer, long inputBytes) {
    this.fetcher = fetcher;
    this.peer = peer;
    this.inputBytes = inputBytes;
  }

  @Override
  public OptionalLong inputBytes() {
    return inputBytes < 0 ? OptionalLong.empty() : OptionalLong.of(inputBytes);
  }

  @Override
  public void shape(Job job) {
    fetching(
        RefusalCode.UNKNOWN_MODEL,
        "the model " + job.model(),
        () ->
            within(
                SHAPE_MAX,
                () -> {
                  FolderManifest manifest = fetcher.manifest(source(job), job.model());
                  fetcher.fetch(
                      source(job), ModelConfig.file(manifest).root(), ModelConfig.BYTES_MAX);
                }));
  }

  /// Fetches on a thread of its own, which is interrupted when the time is over; what came until
  /// then stays.
  private static void within(Duration most, Runnable fetch) {
    FutureTask<Boolean> task = new FutureTask<>(fetch, true);
    Thread thread = Thread.ofVirtual().name("shape").start(task);
    try {
      boolean _ = task.get(most.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      throw e.getCause() instanceof RuntimeException failure
          ? failure
          : new IllegalStateException(e.getCause());
    } catch (TimeoutException e) {
      throw new Libp2pException("it did not come within " + most.toSeconds() + " s", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Libp2pException("interrupted while it was fetched", e);
    } finally {
      thread.interrupt();
    }
  }

  @Override
  public void input(Job job, long bytesMax) {
    fetching(
        RefusalCode.UNKNOWN_INPUT,
        "the input " + job.input(),
        () -> fetcher.fetch(source(job), job.input(), bytesMax));
  }

  @Override
  public void model(Job job, FolderManifest manifest) {
    fetching(
        RefusalCode.UNKNOWN_MODEL,
        "the model " + job.model(),
        () -> fetcher.folder(source(job), manifest.root()));
  }

  private BlobSource source(Job job) {
    return new BlobSource(peer, Optional.of(job.id()), Optional.empty());
  }

  private void fetching(RefusalCode missing, String what, Runnable fetch) {
    try {
      fetch.run();
    } catch (MalformedException e) {
      throw new RefusedException(missing, what + " is no good: " + e.sentence());
    } catch (PeerMisbehaviourException e) {
      throw new RefusedException(missing, what + " cannot be trusted: " + e.getMessage());
    } catch (BlobNotHereException e) {
      throw new RefusedException(
          e.isPassing() ? RefusalCode.UNAVAILABLE : missing,
          what + " cannot be had: " + e.getMessage());
    } catch (BlobRefusedException e) {
      throw new RefusedException(e.refusal());
    } catch (Libp2pException | BlobException e) {
      throw new RefusedException(
          RefusalCode.UNAVAILABLE, what + " cannot be fetched now: " + e.getMessage());
    }
  }
}

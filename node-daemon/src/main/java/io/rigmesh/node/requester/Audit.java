package io.rigmesh.node.requester;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.rigmesh.node.blob.BlobRefusedException;
import io.rigmesh.node.blob.Blobs;
import io.rigmesh.node.config.NodeConfig;
import io.rigmesh.node.jobs.JobEvent;
import io.rigmesh.node.provider.JobFolder;
import io.rigmesh.node.store.JobRow;
import io.rigmesh.node.store.JobStore;
import io.rigmesh.node.workers.WorkerLaunches;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.RefusalCode;
import io.rigmesh.worker.process.WorkerException;
import io.rigmesh.worker.process.WorkerProcess;
import io.rigmesh.worker.task.RunRequest;
import io.rigmesh.worker.verify.Materials;
import io.rigmesh.worker.verify.Samples;
import io.rigmesh.worker.verify.Verdict;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Recomputes random steps of what a provider delivered, in a worker process of its own that ends
/// with the audit. One audit at a time, so that audits never take more than one worker's memory.
final class Audit {
  private static final Logger LOG = LoggerFactory.getLogger(Audit.class);

  private final NodeConfig config;
  private final JobStore store;
  private final Blobs blobs;
  private final WorkerLaunches launches;
  private final SecureRandom random = new SecureRandom();
  private final ReentrantLock turn = new ReentrantLock();

  Audit(NodeConfig config, JobStore store, Blobs blobs, WorkerLaunches launches) {
    this.config = config;
    this.store = store;
    this.blobs = blobs;
    this.launches = launches;
  }

  /// What is wrong with what a job's provider delivered, as far as the settings ask to look; what
  /// was found is told among the job's events.
  ///
  /// @throws WorkerException if the worker was lost; the audit may be repeated
  Optional<String> fault(JobRow row) throws InterruptedException {
    return fault(
        row,
        "audit",
        store.receipt(row.id()).orElseThrow(),
        row.completion().orElseThrow().output());
  }

  /// The same of any receipt for a job, whose output is here.
  ///
  /// @param what is audited, for the note
  Optional<String> fault(JobRow row, String what, byte[] receipt, Hash output)
      throws InterruptedException {
    if (config.audit().samples() == 0) {
      return Optional.empty();
    }
    Verdict verdict = check(row.job(), receipt, output);
    LOG.info("job {}: {}: {}", row.id(), what, verdict.sentence());
    String note =
        JsonNodeFactory.instance
            .objectNode()
            .put("message", what + ": " + verdict.sentence())
            .toString();
    store.note(row.id(), JobEvent.Type.NOTE, note, 0);
    return switch (verdict) {
      case Verdict.Exact _ -> Optional.empty();
      // The sentence names the step.
      case Verdict.Differs(_, String sentence) -> Optional.of(sentence);
      case Verdict.Invalid(String sentence) -> Optional.of(sentence);
    };
  }

  /// Checks a delivery whose files are all in the store. The samples are drawn now, after the
  /// receipt was signed, so that the provider could not know them.
  ///
  /// @throws WorkerException if the worker was lost; the audit may be repeated
  private Verdict check(Job job, byte[] receiptFile, Hash output) throws InterruptedException {
    turn.lockInterruptibly();
    JobFolder folder =
        new JobFolder(config.jobsFolder().resolve("audit-" + job.id().hex().substring(2)));
    try {
      folder.delete();
      RunRequest laid = folder.prepare(job, blobs);
      Path receipt = folder.path().resolve("receipt.json");
      Files.write(receipt, receiptFile);
      try {
        blobs.materialise(output, folder.output());
      } catch (BlobRefusedException e) {
        if (e.refusal().code() == RefusalCode.MALFORMED) {
          return new Verdict.Invalid("What it delivers cannot be laid out: " + e.getMessage());
        }
        throw e;
      }
      return verify(receipt, new Materials(laid.modelFolder(), laid.inputFile(), folder.output()));
    } catch (IOException e) {
      throw new UncheckedIOException(
          "The audit of job " + job.id() + " cannot be laid out: " + e.getMessage(), e);
    } finally {
      folder.delete();
      turn.unlock();
    }
  }

  private Verdict verify(Path receipt, Materials materials) throws InterruptedException {
    Duration patience = Duration.ofSeconds(config.audit().timeoutSeconds());
    try (WorkerProcess process =
        WorkerProcess.start(
            launches.of("cpu", "audit"),
            line -> LOG.info("[audit] {}", line),
            Duration.ofSeconds(config.workers().startTimeoutSeconds()))) {
      Thread guard =
          Thread.ofVirtual()
              .start(() -> {
                try {
                  Thread.sleep(patience);
                  LOG.warn("an audit took more than {} s and is given up", patience.toSeconds());
                  process.handle().destroyForcibly();
                } catch (InterruptedException e) {
                  // The audit is over.
                  Thread.currentThread().interrupt();
                }
              });
      try {
        return process
            .client()
            .verify(
                receipt,
                materials,
                new Samples.Some(config.audit().samples(), random.nextLong()),
                _ -> {});
      } catch (WorkerException e) {
        if (Thread.interrupted()) {
          throw new InterruptedException("the daemon is stopping");
        }
        throw e;
      } finally {
        guard.interrupt();
      }
    }
  }
}

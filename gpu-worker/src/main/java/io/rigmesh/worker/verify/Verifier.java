package io.rigmesh.worker.verify;

import io.rigmesh.protocol.CommitmentChain;
import io.rigmesh.protocol.Evidence;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.Receipt;
import io.rigmesh.protocol.ReceiptFile;
import io.rigmesh.protocol.Task;
import io.rigmesh.worker.format.ModelFormatException;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.NonFiniteException;
import io.rigmesh.worker.task.Folders;
import io.rigmesh.worker.task.InvalidJobException;
import io.rigmesh.worker.task.ModelShelf;
import io.rigmesh.worker.task.RunEvent;
import io.rigmesh.worker.task.TrainingJob;
import java.util.function.Consumer;

/// Recomputes what a receipt claims, without network.
///
/// Always checked, whole: both signatures, that receipt, job, evidence, model, input and output
/// belong together, the roots, and the commitment chain as far as it follows from what was handed
/// over. As much as asked is recomputed; the first step found wrong is named. Serves one thread at
/// a time.
public final class Verifier {
  private final Kernels kernels;
  private final ModelShelf shelf;

  /// @param kernels what recomputes; any backend, since all have the same bits
  /// @param shelf the language models that generations are checked with; it stays the caller's to
  ///   close
  public Verifier(Kernels kernels, ModelShelf shelf) {
    this.kernels = kernels;
    this.shelf = shelf;
  }

  /// Checks a receipt.
  ///
  /// @param progress gets how many steps were recomputed, of how many; what it throws ends the
  ///   verification
  /// @throws java.io.UncheckedIOException if a file cannot be read
  public Verdict verify(
      ReceiptFile file,
      Materials materials,
      Samples samples,
      Consumer<RunEvent.Progress> progress) {
    try {
      requireSigned(file);
      requireFits(file.job().job(), file.receipt().receipt());
      Recomputed recomputed = recompute(file, materials, new Selection(samples), progress);
      requireCommitted(file, materials);
      return new Verdict.Exact(
          recomputed.checked(),
          recomputed.total(),
          "Exact: signatures, roots and chain hold, and %d of %d %s were recomputed to the same bits in %.3f seconds."
              .formatted(
                  recomputed.checked(),
                  recomputed.total(),
                  recomputed.unit(),
                  recomputed.seconds()));
    } catch (Finding e) {
      return e.verdict();
    } catch (InvalidJobException | ModelFormatException e) {
      return new Verdict.Invalid(String.valueOf(e.getMessage()));
    } catch (NonFiniteException e) {
      // An honest provider's job would have failed there, so no such receipt can be right.
      return new Verdict.Invalid("Recomputing this job fails: " + e.getMessage());
    }
  }

  private Recomputed recompute(
      ReceiptFile file,
      Materials materials,
      Selection selection,
      Consumer<RunEvent.Progress> progress) {
    Job job = file.job().job();
    Receipt receipt = file.receipt().receipt();
    if (!(job.task() instanceof Task.Generate)) {
      shelf.clear();
    }
    return switch (job.task()) {
      case Task.Train task when file.evidence() instanceof Evidence.Training evidence ->
          new TrainingCheck(kernels, TrainingJob.of(job, task), receipt, evidence, materials)
              .run(selection, progress);
      case Task.Generate task when file.evidence() instanceof Evidence.Generation evidence ->
          new GenerationCheck(shelf, job, task, receipt, evidence, materials)
              .run(selection, progress);
      case Task.Embed _ when file.evidence() instanceof Evidence.Embedding evidence ->
          new EmbeddingCheck(kernels, shelf.encoders(), job, receipt, evidence, materials)
              .run(selection, progress);
      case Task.Train _, Task.Generate _, Task.Embed _ ->
          throw Finding.invalid(
              "The evidence is not that of a %s job.".formatted(job.task().kind().id()));
    };
  }

  private static void requireSigned(ReceiptFile file) {
    Finding.require(
        file.job().isSignedFor(file.domain()),
        "The job is not signed by its requester %s for chain %d."
            .formatted(file.job().job().requester(), file.domain().chainId()));
    Finding.require(
        file.receipt().isSignedFor(file.domain()),
        "The receipt is not signed by its provider %s for chain %d."
            .formatted(file.receipt().receipt().provider(), file.domain().chainId()));
  }

  private static void requireFits(Job job, Receipt receipt) {
    Finding.require(
        receipt.job().equals(job.id()),
        "The receipt is for job %s, not for %s.".formatted(receipt.job(), job.id()));
    Finding.require(
        receipt.profile() == job.profile(),
        "The receipt's profile is %s, but the job asks for %s."
            .formatted(receipt.profile(), job.profile()));
    Finding.require(
        job.model().isZero() || receipt.model().equals(job.model()),
        "The receipt's model is %s, but the job asks for %s."
            .formatted(receipt.model(), job.model()));
    Finding.require(
        receipt.price().units().compareTo(job.priceMax().units()) <= 0,
        "The receipt asks for %s, more than the job's limit of %s."
            .formatted(receipt.price(), job.priceMax()));
  }

  /// What the provider signed, against what was handed over. Last, since a step that differs says
  /// more than a root that does.
  private static void requireCommitted(ReceiptFile file, Materials materials) {
    Receipt receipt = file.receipt().receipt();
    var links = file.evidence().links();
    Hash last = links.getLast();
    Finding.require(
        receipt.commitment().equals(last),
        "The evidence's last link is %s, but the receipt signs %s."
            .formatted(last, receipt.commitment()));
    Hash root = CommitmentChain.rootOf(links);
    Finding.require(
        receipt.commitmentsRoot().equals(root),
        "The root of the evidence's links is %s, but the receipt signs %s: a link was changed."
            .formatted(root, receipt.commitmentsRoot()));
    Hash output = Folders.manifest(materials.outputFolder()).root();
    Finding.require(
        receipt.output().equals(output),
        "The output folder's root is %s, but the receipt signs %s: a file was changed, is missing or was added."
            .formatted(output, receipt.output()));
  }
}

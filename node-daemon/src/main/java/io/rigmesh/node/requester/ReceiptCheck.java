package io.rigmesh.node.requester;

import io.rigmesh.node.pay.MilestoneTerms;
import io.rigmesh.node.pay.Tariff;
import io.rigmesh.node.store.JobRow;
import io.rigmesh.protocol.CommitmentChain;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.Evidence;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.MalformedException;
import io.rigmesh.protocol.ProtocolJson;
import io.rigmesh.protocol.Receipt;
import io.rigmesh.protocol.ReceiptFile;
import io.rigmesh.protocol.Task;
import io.rigmesh.protocol.TokenAmount;
import java.util.List;
import java.util.Optional;

/// What a receipt must be before anything of it is believed.
final class ReceiptCheck {
  private ReceiptCheck() {}

  /// Reads the `receipt.json` of a job's result.
  ///
  /// @param tariff what was agreed, where a channel pays
  /// @throws ProviderFaultException if it is not a receipt for this job by this provider
  static ReceiptFile read(byte[] json, JobRow row, Domain domain, Optional<Tariff> tariff) {
    ReceiptFile file = read(json, row, domain);
    Receipt receipt = file.receipt().receipt();
    if (row.job().task() instanceof Task.Train task) {
      requireSteps(receipt, task.steps());
    }
    tariff.ifPresent(agreed -> {
      var price = agreed.price(row.job(), receipt.meter());
      require(
          receipt.price().compareTo(price) <= 0,
          "asks for " + receipt.price() + " for what costs " + price + " as it was agreed");
    });
    return file;
  }

  /// Reads the `receipt.json` of a milestone that is not the job's end.
  ///
  /// @throws ProviderFaultException if it is not a receipt for this part of the job by this
  ///   provider, or asks for more than this part's share
  static ReceiptFile milestone(byte[] json, JobRow row, Domain domain, int number) {
    int last = MilestoneTerms.count(row.job());
    if (number < 1 || number >= last || !(row.job().task() instanceof Task.Train task)) {
      throw new ProviderFaultException(
          "the provider proves milestone " + number + " of a job that has " + last);
    }
    ReceiptFile file = read(json, row, domain);
    Receipt receipt = file.receipt().receipt();
    requireSteps(receipt, task.milestoneStep(number));
    TokenAmount share = MilestoneTerms.share(row.job(), number);
    require(
        receipt.price().compareTo(share) <= 0,
        "asks for "
            + receipt.price()
            + " up to milestone "
            + number
            + ", above its share of "
            + share);
    return file;
  }

  /// What a receipt and the one for the milestone before it say that cannot both be: other steps,
  /// or a lower price, since what was paid for the first is not given back.
  ///
  /// @param number the milestone of the second
  static Optional<String> contradiction(ReceiptFile before, ReceiptFile now, int number) {
    Receipt first = before.receipt().receipt();
    Receipt second = now.receipt().receipt();
    List<Hash> links = now.evidence().links();
    int steps = before.evidence().links().size();
    boolean goesOn =
        now.evidence() instanceof Evidence.Training
            && links.size() >= steps
            && CommitmentChain.rootOf(links.subList(0, steps)).equals(first.commitmentsRoot())
            && second.model().equals(first.model());
    if (!goesOn) {
      return Optional.of(
          "The receipt for milestone %d does not go on from the one for milestone %d, which the provider has signed as well."
              .formatted(number, number - 1));
    }
    return second.price().compareTo(first.price()) < 0
        ? Optional.of(
            "The receipt for milestone %d asks for %s, less than the %s that the one for milestone %d asks for."
                .formatted(number, second.price(), first.price(), number - 1))
        : Optional.empty();
  }

  private static void requireSteps(Receipt receipt, int steps) {
    require(
        receipt.meter().steps() == steps,
        "is for " + receipt.meter().steps() + " steps in place of " + steps);
  }

  private static ReceiptFile read(byte[] json, JobRow row, Domain domain) {
    ReceiptFile file;
    try {
      file = ProtocolJson.readReceiptFile(json);
    } catch (MalformedException e) {
      throw new ProviderFaultException("the provider's receipt is malformed: " + e.sentence(), e);
    }
    Receipt receipt = file.receipt().receipt();
    List<Hash> links = file.evidence().links();
    Hash last = links.isEmpty() ? Hash.ZERO : links.getLast();
    require(file.domain().equals(domain), "is for another chain or contract");
    require(file.job().equals(row.signed()), "holds another job");
    require(receipt.job().equals(row.id()), "is for job " + receipt.job());
    require(
        receipt.provider().equals(row.provider().orElseThrow()),
        "is signed by " + receipt.provider() + ", not by the provider of this job");
    require(file.receipt().isSignedFor(domain), "is not signed by its provider");
    require(
        receipt.price().compareTo(row.job().priceMax()) <= 0,
        "asks for " + receipt.price() + ", above the limit of " + row.job().priceMax());
    require(receipt.profile() == row.job().profile(), "is of another profile");
    require(
        row.job().model().isZero() || receipt.model().equals(row.job().model()),
        "is for the model " + receipt.model());
    require(receipt.commitment().equals(last), "does not end with its last link");
    require(
        receipt.commitmentsRoot().equals(CommitmentChain.rootOf(links)),
        "has another root than its links");
    require(
        receipt.meter().steps() == links.size(),
        "counts " + receipt.meter().steps() + " steps and has " + links.size() + " links");
    return file;
  }

  private static void require(boolean holds, String otherwise) {
    if (!holds) {
      throw new ProviderFaultException("the provider's receipt " + otherwise);
    }
  }
}

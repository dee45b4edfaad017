package io.rigmesh.node.requester;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.CommitmentChain;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.Evidence;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.Meter;
import io.rigmesh.protocol.Profile;
import io.rigmesh.protocol.Receipt;
import io.rigmesh.protocol.ReceiptFile;
import io.rigmesh.protocol.SignedJob;
import io.rigmesh.protocol.Task;
import io.rigmesh.protocol.TokenAmount;
import java.math.BigInteger;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ReceiptCheckTest {
  private static final Hash ONE = Hash.fromHex("11".repeat(32));
  private static final Hash TWO = Hash.fromHex("22".repeat(32));

  private final AccountKey requester = AccountKey.generate();
  private final AccountKey provider = AccountKey.generate();
  private final Domain domain = new Domain(31_337, AccountKey.generate().address());
  private final SignedJob job =
      new Job(
              new Task.Generate(8, 0, 0, 1),
              ONE,
              Profile.F32_V1,
              TWO,
              1,
              TokenAmount.of(1_000),
              2_000_000_000,
              requester.address(),
              BigInteger.ONE)
          .sign(requester, domain);

  private ReceiptFile receipt(long price, Hash... links) {
    List<Hash> all = List.of(links);
    Receipt receipt =
        new Receipt(
            job.job().id(),
            provider.address(),
            ONE,
            new Meter(0, 0, all.size()),
            all.getLast(),
            CommitmentChain.rootOf(all),
            TWO,
            "cpu",
            Profile.F32_V1,
            1,
            2,
            TokenAmount.of(price));
    return new ReceiptFile(
        domain,
        job,
        receipt.sign(provider, domain),
        new Evidence.Training(List.of(), List.of(), all));
  }

  @Test
  void theNextMilestoneAsksForNoLessThanTheOneBefore() {
    ReceiptFile first = receipt(500, ONE);
    assertThat(ReceiptCheck.contradiction(first, receipt(500, ONE, TWO), 2)).isEmpty();
    assertThat(ReceiptCheck.contradiction(first, receipt(900, ONE, TWO), 2)).isEmpty();
    assertThat(ReceiptCheck.contradiction(first, receipt(499, ONE, TWO), 2))
        .isEqualTo(
            Optional.of(
                "The receipt for milestone 2 asks for 499, less than the 500 that the one for milestone 1 asks for."));
  }

  @Test
  void theNextMilestoneGoesOnFromTheOneBefore() {
    ReceiptFile first = receipt(500, ONE);
    assertThat(ReceiptCheck.contradiction(first, receipt(900, TWO, ONE), 2).orElseThrow())
        .contains("does not go on");
    assertThat(ReceiptCheck.contradiction(receipt(500, ONE, TWO), first, 2).orElseThrow())
        .contains("does not go on");
  }
}

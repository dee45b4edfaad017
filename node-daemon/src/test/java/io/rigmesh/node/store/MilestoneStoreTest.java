package io.rigmesh.node.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.node.jobs.JobRole;
import io.rigmesh.node.store.MilestoneRow.Verdict;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Digests;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.JobState;
import io.rigmesh.protocol.Profile;
import io.rigmesh.protocol.Signature;
import io.rigmesh.protocol.SignedJob;
import io.rigmesh.protocol.Task;
import io.rigmesh.protocol.TokenAmount;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MilestoneStoreTest {
  private static final Domain DOMAIN = new Domain(31_337, AccountKey.generate().address());

  private final AccountKey requester = AccountKey.generate();
  private final AccountKey provider = AccountKey.generate();

  @TempDir Path folder;
  private Database database;
  private JobStore jobs;
  private MilestoneStore store;
  private Hash job;

  @BeforeEach
  void open() {
    reopen();
    SignedJob signed =
        new Job(
                new Task.Train(900, 1, 2, 0.1f, 0, 0f, 1f, 150, 3, Optional.empty()),
                hash("model"),
                Profile.F32_V1,
                hash("input"),
                1,
                TokenAmount.of(1_000),
                4_000_000_000L,
                requester.address(),
                BigInteger.ONE)
            .sign(requester, DOMAIN);
    job = signed.job().id();
    assertThat(jobs.insert(JobRole.REQUESTER, signed, Transition.to(new JobState.Signed())))
        .isTrue();
  }

  private void reopen() {
    database = Database.open(folder.resolve("rigmesh.db"));
    jobs = new JobStore(database, Clock.systemUTC(), 1_000);
    store = new MilestoneStore(database);
  }

  @AfterEach
  void close() {
    jobs.close();
    database.close();
  }

  private static Hash hash(String text) {
    return Digests.sha256(text.getBytes(StandardCharsets.UTF_8));
  }

  private MilestoneRow row(int number, long price) {
    return MilestoneRow.reached(
        job,
        number,
        300L * number,
        hash("receipt " + number),
        TokenAmount.of(price),
        store.find(job, number - 1),
        hash("output " + number),
        Instant.ofEpochMilli(1_700_000_000_000L + number));
  }

  @Test
  void milestonesSurviveAReopeningWithAllThatBecameOfThem() {
    byte[] file = {1, 2, 3};
    MilestoneRow first = row(1, 300);
    assertThat(store.reached(first, Optional.of(file))).isTrue();
    MilestoneRow second = row(2, 500);
    assertThat(second.amountDue()).isEqualTo(TokenAmount.of(200));
    assertThat(store.reached(second, Optional.empty())).isTrue();
    Signature approval = first.approvalTo(provider.address()).sign(requester, DOMAIN);
    store.judged(job, 1, Verdict.EXACT, "", Optional.of(approval));
    store.judged(job, 2, Verdict.FALSE, "step 310 differs", Optional.empty());
    store.delivered(job, 1);
    assertThat(store.paid(job, 1)).isTrue();
    assertThat(store.paid(job, 1)).isFalse();
    Signature acceptance = second.approvalTo(provider.address()).sign(provider, DOMAIN);
    assertThat(store.acceptance(job)).isEmpty();
    store.accepted(job, acceptance);

    close();
    reopen();
    MilestoneRow kept = store.find(job, 1).orElseThrow();
    assertThat(kept)
        .isEqualTo(
            new MilestoneRow(
                job,
                1,
                300,
                first.proof(),
                TokenAmount.of(300),
                TokenAmount.of(300),
                first.output(),
                first.reachedAt(),
                Verdict.EXACT,
                "",
                Optional.of(approval),
                true,
                true));
    assertThat(store.of(job)).extracting(MilestoneRow::number).containsExactly(1, 2);
    assertThat(store.of(job).getLast().verdict()).isEqualTo(Verdict.FALSE);
    assertThat(store.of(job).getLast().reason()).isEqualTo("step 310 differs");
    assertThat(store.receipt(job, 1)).contains(file);
    assertThat(store.receipt(job, 2)).isEmpty();
    assertThat(store.acceptance(job)).contains(acceptance);
  }

  @Test
  void whatWasReachedOnceStaysWhatItWas() {
    store.reached(row(1, 300), Optional.of(new byte[] {1}));
    assertThat(store.reached(row(1, 400), Optional.of(new byte[] {2}))).isFalse();
    assertThat(store.find(job, 1).orElseThrow().price()).isEqualTo(TokenAmount.of(300));
    assertThat(store.receipt(job, 1).orElseThrow()).containsExactly(1);
  }

  @Test
  void aVerdictIsGivenOnce() {
    store.reached(row(1, 300), Optional.empty());
    store.judged(job, 1, Verdict.FALSE, "wrong", Optional.empty());
    Signature approval =
        store.find(job, 1).orElseThrow().approvalTo(provider.address()).sign(requester, DOMAIN);
    store.judged(job, 1, Verdict.EXACT, "", Optional.of(approval));
    assertThat(store.find(job, 1).orElseThrow().verdict()).isEqualTo(Verdict.FALSE);
    assertThat(store.find(job, 1).orElseThrow().approval()).isEmpty();
  }
}

package io.rigmesh.node.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.node.jobs.JobEvent;
import io.rigmesh.node.jobs.JobEvents;
import io.rigmesh.node.jobs.JobQuery;
import io.rigmesh.node.jobs.JobRole;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.CommitmentChain;
import io.rigmesh.protocol.Digests;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.Evidence;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.JobState;
import io.rigmesh.protocol.Meter;
import io.rigmesh.protocol.Profile;
import io.rigmesh.protocol.ProtocolJson;
import io.rigmesh.protocol.Receipt;
import io.rigmesh.protocol.ReceiptFile;
import io.rigmesh.protocol.Refusal;
import io.rigmesh.protocol.RefusalCode;
import io.rigmesh.protocol.SignedJob;
import io.rigmesh.protocol.Task;
import io.rigmesh.protocol.TokenAmount;
import java.math.BigInteger;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JobStoreTest {
  private static final Domain DOMAIN = new Domain(31_337, AccountKey.generate().address());

  private final AccountKey requester = AccountKey.generate();
  private final AccountKey provider = AccountKey.generate();

  @TempDir Path folder;
  private Database database;
  private JobStore store;

  @BeforeEach
  void open() {
    database = Database.open(folder.resolve("rigmesh.db"));
    store = new JobStore(database, Clock.systemUTC(), 1_000);
  }

  @AfterEach
  void close() {
    store.close();
    database.close();
  }

  @Test
  void everyFieldOfAJobSurvivesAReopening() {
    SignedJob job = job(1);
    insert(job);
    store.transition(job.job().id(), Transition.to(new JobState.Funded()).by(provider.address()));
    store.transition(job.job().id(), Transition.to(new JobState.Running()).since(1_700_000_000));
    store.note(
        job.job().id(),
        JobEvent.Type.PROGRESS,
        "{\"step\":3,\"total\":9,\"loss\":2.5,\"tokensPerSecond\":100}",
        41);
    store.askCancel(job.job().id());
    assertThat(store.crashed(job.job().id())).isEqualTo(1);
    JobRow before = store.find(job.job().id()).orElseThrow();
    close();
    open();

    JobRow after = store.find(job.job().id()).orElseThrow();
    assertThat(after).isEqualTo(before);
    assertThat(after.signed()).isEqualTo(job);
    assertThat(after.state()).isEqualTo(new JobState.Running());
    assertThat(after.provider()).contains(provider.address());
    assertThat(after.startedAtSeconds()).hasValue(1_700_000_000);
    assertThat(after.progress().orElseThrow().loss()).hasValue(2.5);
    assertThat(after.remoteSequence()).isEqualTo(41);
    assertThat(after.cancelAsked()).isTrue();
  }

  @Test
  void receiptIsOnDiskWithTheStateThatNeedsIt() {
    SignedJob job = job(1);
    Hash id = job.job().id();
    insert(job);
    store.transition(id, Transition.to(new JobState.Funded()));
    store.transition(id, Transition.to(new JobState.Running()));
    ReceiptFile file = receipt(job);
    Hash model = Digests.sha256(new byte[] {9});
    store.transition(id, Transition.to(new JobState.Completed()).with(file, Optional.of(model)));

    assertThat(ProtocolJson.readReceiptFile(store.receipt(id).orElseThrow())).isEqualTo(file);
    JobRow.Completion completion = store.find(id).orElseThrow().completion().orElseThrow();
    assertThat(completion.receiptHash()).isEqualTo(file.receipt().receipt().hash());
    assertThat(completion.outputModel()).contains(model);
    assertThat(store.trainedModels()).containsExactly(model);
    assertThat(store.paid(JobRole.PROVIDER)).isEqualTo(TokenAmount.ZERO);
    store.transition(id, Transition.to(new JobState.Settled()));
    store.paid(id, TokenAmount.of(70));
    store.paid(id, TokenAmount.of(77));
    assertThat(store.paid(JobRole.PROVIDER)).isEqualTo(TokenAmount.of(77));
    assertThat(store.paid(JobRole.REQUESTER)).isEqualTo(TokenAmount.ZERO);
  }

  @Test
  void jobsThatWaitForALastVoucherAreFoundByTheirChannel() {
    ChannelTerms channel = terms(1);
    List<Hash> completed = new ArrayList<>();
    for (int nonce = 1; nonce <= 5; nonce++) {
      SignedJob job = job(nonce);
      Hash id = job.job().id();
      insert(job);
      store.transition(
          id, Transition.to(new JobState.Funded()).paidBy(nonce == 4 ? terms(2) : channel));
      store.transition(id, Transition.to(new JobState.Running()));
      if (nonce < 5) {
        completed.add(id);
        store.transition(
            id, Transition.to(new JobState.Completed()).with(receipt(job), Optional.empty()));
      }
    }
    store.transition(completed.get(1), Transition.to(new JobState.Settled()));
    assertThat(store.completedOn(channel))
        .extracting(JobRow::id)
        .containsExactly(completed.get(0), completed.get(2));
    assertThat(store.completedOn(channel).getFirst().completion().orElseThrow().price())
        .isEqualTo(TokenAmount.of(77));
    assertThat(store.completedOn(terms(2)))
        .extracting(JobRow::id)
        .containsExactly(completed.get(3));
    assertThat(store.completedOn(terms(3))).isEmpty();
    // By the index, however many jobs there are.
    List<String> plan =
        database
            .jdbi()
            .withHandle(handle ->
                handle
                    .createQuery("EXPLAIN QUERY PLAN " + JobStore.COMPLETED_ON)
                    .bind("channel", "x")
                    .map((row, _) -> row.getString("detail"))
                    .list());
    assertThat(plan)
        .first()
        .satisfies(
            detail -> assertThat(detail).contains("SEARCH job USING INDEX job_completed_channel"));
  }

  private ChannelTerms terms(long salt) {
    return new ChannelTerms(
        requester.address(), requester.address(), provider.address(), requester.address(), salt);
  }

  @Test
  void transitionsOutsideTheStateMachineChangeNothing() {
    SignedJob job = job(1);
    insert(job);
    assertThatThrownBy(
            () -> store.transition(job.job().id(), Transition.to(new JobState.Settled())))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("matched cannot become settled");
    assertThat(store.find(job.job().id()).orElseThrow().state()).isEqualTo(new JobState.Matched());
    assertThat(events(job.job().id(), 0)).hasSize(1);
  }

  @Test
  void reasonsOfAnEndSurvive() {
    SignedJob refused = job(1);
    insert(refused);
    Refusal why = new Refusal(RefusalCode.NOT_FUNDED, "no escrow; fund it");
    store.transition(refused.job().id(), Transition.to(new JobState.Refused(why)));
    SignedJob failed = job(2);
    insert(failed);
    store.transition(
        failed.job().id(),
        Transition.to(new JobState.Failed("the worker died")).owing(Closing.DECLINE));

    assertThat(store.find(refused.job().id()).orElseThrow().state())
        .isEqualTo(new JobState.Refused(why));
    assertThat(store.unfinished(JobRole.PROVIDER))
        .extracting(JobRow::id)
        .containsExactly(failed.job().id());
    store.closed(failed.job().id());
    assertThat(store.unfinished(JobRole.PROVIDER)).isEmpty();
    assertThat(store.find(failed.job().id()).orElseThrow().state())
        .isEqualTo(new JobState.Failed("the worker died"));
  }

  @Test
  void nonceIsUsedOnceWhateverTheJob() {
    SignedJob first = job(1);
    insert(first);
    SignedJob other =
        new Job(
                new Task.Embed(),
                Digests.sha256(new byte[] {5}),
                Profile.F32_V1,
                Digests.sha256(new byte[] {6}),
                0,
                TokenAmount.of(5),
                2_000_000_000,
                requester.address(),
                BigInteger.ONE)
            .sign(requester, DOMAIN);
    assertThat(store.insert(JobRole.PROVIDER, other, Transition.to(new JobState.Matched())))
        .isFalse();
    assertThat(store.find(other.job().id())).isEmpty();
    assertThat(store.jobOfNonce(requester.address(), BigInteger.ONE)).contains(first.job().id());
    assertThat(store.jobOfNonce(provider.address(), BigInteger.ONE)).isEmpty();
  }

  @Test
  void listGoesFromTheNewestInPagesAndByState() {
    List<Hash> ids = new ArrayList<>();
    for (int i = 1; i <= 5; i++) {
      SignedJob job = job(i);
      insert(job);
      ids.add(job.job().id());
    }
    store.transition(ids.get(2), Transition.to(new JobState.Cancelled()));

    List<JobRow> page = store.list(JobQuery.newest(2));
    assertThat(page).extracting(JobRow::id).containsExactly(ids.get(4), ids.get(3));
    assertThat(
            store.list(
                new JobQuery(Optional.of("matched"), Optional.empty(), 9, Optional.of(ids.get(3)))))
        .extracting(JobRow::id)
        .containsExactly(ids.get(1), ids.get(0));
    assertThat(store.counts(JobRole.PROVIDER))
        .containsEntry("matched", 4L)
        .containsEntry("cancelled", 1L);
  }

  @Test
  void eventsAreNumberedWithoutGapsAndFollowedLive() throws InterruptedException {
    SignedJob job = job(1);
    Hash id = job.job().id();
    insert(job);
    List<JobEvent> seen = new ArrayList<>();
    Thread reader =
        Thread.ofVirtual()
            .start(() -> {
              try (JobEvents events = store.events(id, 0).orElseThrow()) {
                while (events.next(Duration.ofSeconds(20)) instanceof JobEvents.Next.Event e) {
                  seen.add(e.event());
                }
              } catch (InterruptedException e) {
                throw new AssertionError(e);
              }
            });
    for (int i = 0; i < 600; i++) {
      store.note(id, JobEvent.Type.TOKEN, "{\"position\":" + i + "}", 0);
      if (i == 300) {
        store.transition(id, Transition.to(new JobState.Funded()));
      }
    }
    store.transition(id, Transition.to(new JobState.Cancelled()));
    assertThat(reader.join(Duration.ofSeconds(30))).isTrue();

    assertThat(seen).hasSize(603);
    for (int i = 0; i < seen.size(); i++) {
      assertThat(seen.get(i).sequence()).isEqualTo(i + 1);
    }
    assertThat(seen.get(302).data())
        .as("a state comes behind what was said before")
        .contains("funded");
    assertThat(seen.getLast().data()).contains("cancelled");
    assertThat(events(id, 600)).extracting(JobEvent::sequence).containsExactly(601L, 602L, 603L);
  }

  @Test
  void eventsAreBoundedButStatesAreNeverDropped() {
    JobStore small = new JobStore(database, Clock.systemUTC(), 10);
    SignedJob job = job(1);
    Hash id = job.job().id();
    small.insert(JobRole.PROVIDER, job, Transition.to(new JobState.Matched()));
    for (int i = 0; i < 50; i++) {
      small.note(id, JobEvent.Type.TOKEN, "{\"position\":" + i + "}", i + 1);
    }
    JobRow row = small.transition(id, Transition.to(new JobState.Cancelled()));
    small.close();
    assertThat(row.remoteSequence()).isEqualTo(50);
    assertThat(events(id, 0))
        .hasSize(11)
        .last()
        .satisfies(e -> assertThat(e.data()).contains("cancelled"));
  }

  @Test
  void speedsSurviveAReopening() {
    SpeedStore speeds = new SpeedStore(database);
    var measured = speeds.load();
    var key =
        new io.rigmesh.scheduler.estimate.Speeds.Key("cpu", io.rigmesh.protocol.JobKind.TRAIN);
    measured.observe(key, 1e9, 2);
    speeds.save(measured);
    measured.observe(key, 1e9, 1);
    speeds.save(measured);
    assertThat(new SpeedStore(database).load().all()).isEqualTo(measured.all());
  }

  private void insert(SignedJob job) {
    assertThat(store.insert(JobRole.PROVIDER, job, Transition.to(new JobState.Matched()))).isTrue();
  }

  private List<JobEvent> events(Hash id, long after) {
    List<JobEvent> list = new ArrayList<>();
    try (JobEvents events = store.events(id, after).orElseThrow()) {
      while (events.next(Duration.ZERO) instanceof JobEvents.Next.Event e) {
        list.add(e.event());
      }
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
    return list;
  }

  private SignedJob job(int nonce) {
    return new Job(
            new Task.Generate(10, 0.5f, 3, 1),
            Digests.sha256(new byte[] {1}),
            Profile.F32_V1,
            Digests.sha256(new byte[] {2}),
            -1,
            TokenAmount.of(100),
            2_000_000_000,
            requester.address(),
            BigInteger.valueOf(nonce))
        .sign(requester, DOMAIN);
  }

  private ReceiptFile receipt(SignedJob job) {
    Hash link = Digests.sha256(new byte[] {3});
    Address account = provider.address();
    Receipt receipt =
        new Receipt(
            job.job().id(),
            account,
            job.job().model(),
            new Meter(4, 1, 1),
            link,
            CommitmentChain.rootOf(List.of(link)),
            Digests.sha256(new byte[] {4}),
            "cpu",
            Profile.F32_V1,
            1_700_000_000,
            1_700_000_001,
            TokenAmount.of(77));
    return new ReceiptFile(
        DOMAIN,
        job,
        receipt.sign(provider, DOMAIN),
        new Evidence.Generation(List.of(1, 2), List.of(3), List.of(link)));
  }
}

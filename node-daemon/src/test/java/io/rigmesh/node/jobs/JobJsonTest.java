package io.rigmesh.node.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.rigmesh.node.NodeInfo;
import io.rigmesh.node.NodeJson;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.BlobRoot;
import io.rigmesh.protocol.Digests;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.FolderManifest;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.JobKind;
import io.rigmesh.protocol.JobState;
import io.rigmesh.protocol.MalformedException;
import io.rigmesh.protocol.Profile;
import io.rigmesh.protocol.ProtocolJson;
import io.rigmesh.protocol.Refusal;
import io.rigmesh.protocol.RefusalCode;
import io.rigmesh.protocol.Task;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.scheduler.pricing.Pricing;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.api.Test;

class JobJsonTest {
  private static final Hash HASH = Digests.sha256(new byte[] {1});

  @Test
  void everyStateReadsBackAsItself() {
    for (JobState state :
        List.of(
            new JobState.Draft(),
            new JobState.Signed(),
            new JobState.Matched(),
            new JobState.Funded(),
            new JobState.Running(),
            new JobState.Completed(),
            new JobState.Settled(),
            new JobState.Cancelled(),
            new JobState.Expired(),
            new JobState.Failed("no memory"),
            new JobState.Disputed("step 3 differs"),
            new JobState.Refused(new Refusal(RefusalCode.BUSY, "later")))) {
      assertThat(JobJson.readState(JobJson.write(state))).isEqualTo(state);
    }
  }

  @Test
  void draftReadsBackAndMayBeShort() {
    JobDraft full =
        new JobDraft(
            new Task.Generate(5, 0.7f, 40, 0.95f),
            Optional.of(HASH),
            HASH,
            Profile.F32_V1,
            OptionalLong.of(-1),
            Optional.of(TokenAmount.of(12)),
            60);
    assertThat(JobJson.readDraft(JobJson.write(full))).isEqualTo(full);
    JobDraft shorter =
        JobJson.readDraft(
            parse("{\"kind\":\"embed\",\"model\":\"%1$s\",\"input\":\"%1$s\"}".formatted(HASH)));
    assertThat(shorter)
        .isEqualTo(
            new JobDraft(
                new Task.Embed(),
                Optional.of(HASH),
                HASH,
                Profile.F32_V1,
                OptionalLong.empty(),
                Optional.empty(),
                3_600));
  }

  @Test
  void wrongDraftNamesTheField() {
    assertThatThrownBy(() -> JobJson.readDraft(parse("{\"kind\":\"embed\",\"input\":\"0x12\"}")))
        .isInstanceOf(MalformedException.class)
        .hasMessageContaining("input");
    assertThatThrownBy(() ->
            JobJson.readDraft(
                parse("{\"kind\":\"embed\",\"input\":\"%s\",\"colour\":1}".formatted(HASH))))
        .hasMessageContaining("colour");
  }

  @Test
  void manifestReadsBackAndItsRootIsChecked() {
    FolderManifest manifest =
        new FolderManifest(
            List.of(new FolderManifest.File("a/b.txt", 3, BlobRoot.of(new byte[] {1, 2, 3}))));
    assertThat(JobJson.readManifest(JobJson.write(manifest))).isEqualTo(manifest);
    assertThatThrownBy(() -> JobJson.readManifest(JobJson.write(manifest).put("root", HASH.hex())))
        .isInstanceOf(MalformedException.class)
        .hasMessageContaining("root");
  }

  @Test
  void progressReadsBackWithAndWithoutLoss() {
    JobProgress training = new JobProgress(3, 10, OptionalDouble.of(1.25), 99.5);
    JobProgress generation = new JobProgress(3, 0, OptionalDouble.empty(), 0);
    assertThat(JobJson.readProgress(JobJson.write(training))).isEqualTo(training);
    assertThat(JobJson.readProgress(JobJson.write(generation))).isEqualTo(generation);
  }

  @Test
  void requesterReadsOfAProviderWhatItNeeds() {
    Pricing prices =
        new Pricing(
            Map.of(
                JobKind.TRAIN, new Pricing.Rate(TokenAmount.of(3), TokenAmount.ZERO),
                JobKind.GENERATE, new Pricing.Rate(TokenAmount.of(1), TokenAmount.of(2))),
            TokenAmount.of(9));
    NodeInfo info =
        new NodeInfo(
            "0.1",
            AccountKey.generate().address(),
            new Domain(31_337, AccountKey.generate().address()),
            Set.of(JobRole.PROVIDER),
            List.of(Profile.F32_V1),
            List.of(),
            List.of(HASH),
            prices);
    NodeJson.Remote remote = NodeJson.readRemote(NodeJson.write(info).put("newField", 1));
    assertThat(remote)
        .isEqualTo(
            new NodeJson.Remote(
                info.account(),
                info.domain(),
                Set.of(JobRole.PROVIDER),
                List.of(Profile.F32_V1),
                List.of(HASH),
                prices));
  }

  private static JsonNode parse(String json) {
    return ProtocolJson.parse(json.getBytes(StandardCharsets.UTF_8), "a test");
  }
}

package io.rigmesh.node.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.rigmesh.libp2p.identity.Ed25519PrivateKey;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.protocol.BlobRoot;
import io.rigmesh.protocol.Digests;
import io.rigmesh.protocol.FolderManifest;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.JobState;
import io.rigmesh.protocol.MalformedException;
import io.rigmesh.protocol.Profile;
import io.rigmesh.protocol.ProtocolJson;
import io.rigmesh.protocol.Refusal;
import io.rigmesh.protocol.RefusalCode;
import io.rigmesh.protocol.Task;
import io.rigmesh.protocol.TokenAmount;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class JobJsonTest {
  private static final Hash HASH = Digests.sha256(new byte[] {1});
  private static final PeerId PEER = PeerId.of(Ed25519PrivateKey.ofSeed(new byte[32]).publicKey());

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
            60,
            Optional.of(PEER));
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
                3_600,
                Optional.empty()));
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

  private static JsonNode parse(String json) {
    return ProtocolJson.parse(json.getBytes(StandardCharsets.UTF_8), "a test");
  }
}

package io.rigmesh.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

class CanonicalFormPropertyTest {
  @Property
  void aJobReadsBackFromItsBytesAndItsJson(
      @ForAll @IntRange(min = 1, max = 131_072) int maxTokens,
      @ForAll @IntRange(min = 0, max = 10_000_000) int temperature,
      @ForAll @IntRange(min = 0, max = 1_000_000) int topK,
      @ForAll @IntRange(min = 1, max = 1_000_000) int topP,
      @ForAll long seed) {
    Job job =
        Samples.job(
            new Task.Generate(maxTokens, temperature / 1e6f, topK, topP / 1e6f),
            Samples.hash("m"),
            seed);
    assertThat(Job.fromCanonicalBytes(job.canonicalBytes())).isEqualTo(job);
    SignedJob signed = job.sign(Samples.REQUESTER, Samples.DOMAIN);
    assertThat(ProtocolJson.readSignedJob(ProtocolJson.write(signed).toString().getBytes()))
        .isEqualTo(signed);
    assertThat(signed.isSignedFor(Samples.DOMAIN)).isTrue();
  }

  @Property
  void cutOrChangedBytesAreRefusedOrAnotherJob(
      @ForAll @IntRange(min = 0, max = 400) int at, @ForAll byte change) {
    byte[] bytes = Samples.train().canonicalBytes();
    int where = at % bytes.length;
    assertThatThrownBy(() -> Job.fromCanonicalBytes(Arrays.copyOf(bytes, where)))
        .isInstanceOf(MalformedException.class);
    byte[] changed = bytes.clone();
    changed[where] ^= change;
    if (change != 0) {
      try {
        Job other = Job.fromCanonicalBytes(changed);
        assertThat(other.canonicalBytes()).isEqualTo(changed);
        assertThat(other.id()).isNotEqualTo(Samples.train().id());
      } catch (MalformedException e) {
        assertThat(e.sentence()).isNotEmpty();
      }
    }
  }

  @Property
  void everyLeafIsProvenByItsPathAndNoOther(
      @ForAll @Size(min = 1, max = 40) List<Byte> values, @ForAll @IntRange(max = 39) int pick) {
    List<Hash> leaves = values.stream().map(v -> MerkleTree.leaf(new byte[] {v})).toList();
    int index = pick % leaves.size();
    Hash root = MerkleTree.root(leaves);
    List<Hash> path = MerkleTree.path(leaves, index);
    assertThat(MerkleTree.rootFrom(leaves.get(index), index, leaves.size(), path)).isEqualTo(root);
    assertThat(MerkleTree.rootFrom(Samples.hash("no"), index, leaves.size(), path))
        .isNotEqualTo(root);
  }
}

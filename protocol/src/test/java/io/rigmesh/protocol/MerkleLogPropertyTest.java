package io.rigmesh.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Example;

class MerkleLogPropertyTest {
  @Example
  void theRootIsTheTreesAfterEveryLeaf() {
    List<Hash> leaves = new ArrayList<>();
    MerkleLog log = new MerkleLog();
    assertThat(log.root()).isEqualTo(MerkleTree.root(leaves));
    for (int i = 0; i < 130; i++) {
      Hash leaf = MerkleTree.leaf(new byte[] {(byte) i});
      leaves.add(leaf);
      log.append(leaf);
      assertThat(log.count()).isEqualTo(leaves.size());
      assertThat(log.root()).isEqualTo(MerkleTree.root(leaves));
    }
  }
}

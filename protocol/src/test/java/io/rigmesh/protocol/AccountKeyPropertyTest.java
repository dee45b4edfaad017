package io.rigmesh.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;

class AccountKeyPropertyTest {
  @Property(tries = 100)
  void whatAKeySignsGivesBackItsAccount(
      @ForAll @LongRange(min = 1) long secret, @ForAll long message) {
    AccountKey key = AccountKey.of(Words.uint64(secret));
    Hash digest = Digests.keccak256(Words.uint64(message));
    assertThat(key.sign(digest).signer(digest)).isEqualTo(key.address());
  }
}

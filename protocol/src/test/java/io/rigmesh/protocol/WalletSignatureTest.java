package io.rigmesh.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class WalletSignatureTest {
  private final AccountKey key = AccountKey.generate();
  private final Hash digest = MerkleTree.root(List.of());

  @Test
  void theSignatureOfAKeyIsKnownAsThatAndAsNobodyElses() {
    WalletSignature signature = WalletSignature.of(key.sign(digest));
    assertThat(signature.ofKey()).contains(key.sign(digest));
    assertThat(signature.isOfKey(key.address(), digest)).isTrue();
    assertThat(signature.isOfKey(AccountKey.generate().address(), digest)).isFalse();
    assertThat(signature.isOfKey(key.address(), Hash.fromHex("00".repeat(32)))).isFalse();
  }

  @Test
  void whatAContractTakesHasAnyForm() {
    WalletSignature two = WalletSignature.fromHex("0x" + "ab".repeat(130));
    assertThat(two.ofKey()).isEmpty();
    assertThat(two.isOfKey(key.address(), digest)).isFalse();
    assertThat(two.bytes()).hasSize(130);
    assertThat(WalletSignature.fromHex(two.hex())).isEqualTo(two).hasSameHashCodeAs(two);
  }

  @Test
  void nothingAndTooMuchAreNoSignature() {
    assertThatThrownBy(() -> WalletSignature.of(new byte[0]))
        .isInstanceOf(MalformedException.class)
        .hasMessageContaining("not 0");
    assertThatThrownBy(() -> WalletSignature.of(new byte[WalletSignature.BYTES_MAX + 1]))
        .isInstanceOf(MalformedException.class)
        .hasMessageContaining("2048");
    assertThatThrownBy(() -> WalletSignature.fromHex("0xabc"))
        .isInstanceOf(MalformedException.class)
        .hasMessageContaining("hexadecimal");
  }
}

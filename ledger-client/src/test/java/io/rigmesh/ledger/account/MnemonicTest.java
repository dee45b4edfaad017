package io.rigmesh.ledger.account;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.protocol.Address;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Against the published vectors of BIP-32 and BIP-39, and against accounts that wallets show.
class MnemonicTest {
  private static final String TEST = "test test test test test test test test test test test junk";

  /// BIP-32, test vectors 1 and 3; the third has leading zeros that must be kept.
  @ParameterizedTest
  @CsvSource({
    "000102030405060708090a0b0c0d0e0f, m, e8f32e723decf4051aefac8e2c93c9c5b214313817cdb01a1494b917c8436b35",
    "000102030405060708090a0b0c0d0e0f, m/0', edb2e14f9ee77d26dd93b4ecede8d16ed408ce149b6cd80b0715a2d911a0afea",
    "000102030405060708090a0b0c0d0e0f, m/0'/1, 3c6cb8d0f6a264c91ea8b5030fadaa8e538b020f0a387421a12de9319dc93368",
    "000102030405060708090a0b0c0d0e0f, m/0h/1/2h, cbce0d719ecf7431d88e6a89fa1483e02e35092af60c042b1df2ff59fa424dca",
    "000102030405060708090a0b0c0d0e0f, m/0'/1/2'/2/1000000000, 471b76e389e528d6de6d816857e012c5455051cad6660850e58372a6c3e6e7c8",
    "4b381541583be4423346c643850da4b320e46a87ae3d2a4e6da11eba819cd4acba45d239319ac14f863b8d5ab5a0d0c64d2e8a1e7d1457df2e5a3c51c73235be, m, 00ddb80b067e0d4993197fe10f2657a844a384589847602d56f0c629c81aae32",
    "4b381541583be4423346c643850da4b320e46a87ae3d2a4e6da11eba819cd4acba45d239319ac14f863b8d5ab5a0d0c64d2e8a1e7d1457df2e5a3c51c73235be, m/0', 491f7a2eebc7b57028e0d3faa0acda02e75c33b03c48fb288c41e2ea44e1daef"
  })
  void keysAreDerivedAsBip32Says(String seed, String path, String secret) {
    assertThat(
            HexFormat.of().formatHex(Mnemonic.derive(HexFormat.of().parseHex(seed), path).secret()))
        .isEqualTo(secret);
  }

  /// The accounts that anvil, Hardhat and every wallet show for these words.
  @ParameterizedTest
  @CsvSource({
    "0, 0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266",
    "1, 0x70997970c51812dc3a010c7d01b50e0d17dc79c8",
    "2, 0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc"
  })
  void theWellKnownTestWordsGiveTheirAccounts(int index, String account) {
    Mnemonic words =
        Mnemonic.parse("  Test test TEST test\ntest test test test test test test\tjunk ");
    assertThat(words.key("m/44'/60'/0'/0/" + index, "").address())
        .isEqualTo(Address.fromHex(account));
    assertThat(words.toString()).isEqualTo("Mnemonic[12 words]");
  }

  /// BIP-39's own vectors, which all use the passphrase TREZOR: the master key follows from the
  /// seed.
  @Test
  void aPassphraseIsPartOfTheSeed() {
    Mnemonic zeros =
        Mnemonic.parse(
            "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about");
    String seed =
        "c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e53495531f09a6987599d18264c1e1c92f2cf141630c7a3c4ab7c81b2f001698e7463b04";
    assertThat(zeros.key("m", "TREZOR").secret())
        .isEqualTo(Mnemonic.derive(HexFormat.of().parseHex(seed), "m").secret());
    assertThat(zeros.key(Mnemonic.PATH, "").address())
        .isEqualTo(Address.fromHex("0x9858effd232b4033e47d90003d41ec34ecaeda94"));
    assertThat(zeros.key(Mnemonic.PATH, "TREZOR").address())
        .isNotEqualTo(zeros.key(Mnemonic.PATH, "").address());
  }

  @Test
  void aSlipOfThePenIsNamedByItsPlaceAndNotByTheWord() {
    assertThatThrownBy(() -> Mnemonic.parse(TEST.replace("junk", "junc")))
        .isInstanceOf(KeystoreException.class)
        .hasMessageContaining("Word 12")
        .hasMessageNotContaining("junc");
    assertThatThrownBy(() -> Mnemonic.parse(TEST.replace("junk", "test")))
        .hasMessageContaining("does not check the others");
    assertThatThrownBy(() -> Mnemonic.parse("test junk")).hasMessageContaining("not 2");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "44'/60'", "m/", "m/x", "m/-1", "m/+1", "m/2147483648", "m/1//2"})
  void aMalformedPathIsRefused(String path) {
    assertThatThrownBy(() -> Mnemonic.parse(TEST).key(path, ""))
        .isInstanceOf(KeystoreException.class)
        .hasMessageContaining("m/44'/60'/0'/0/0");
  }
}

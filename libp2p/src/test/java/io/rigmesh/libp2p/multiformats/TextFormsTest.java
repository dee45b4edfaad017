package io.rigmesh.libp2p.multiformats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Base58, base32 and varints against the vectors of their specifications.
class TextFormsTest {
  @Test
  void base58HasTheVectorsOfItsDraft() {
    assertThat(Base58.encode(ascii("Hello World!"))).isEqualTo("2NEpo7TZRRrLZSi2U");
    assertThat(Base58.encode(ascii("The quick brown fox jumps over the lazy dog.")))
        .isEqualTo("USm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z");
    assertThat(Base58.encode(HexFormat.of().parseHex("0000287fb4cd"))).isEqualTo("11233QC4");
    assertThat(Base58.decode("2NEpo7TZRRrLZSi2U")).isEqualTo(ascii("Hello World!"));
    assertThat(Base58.decode("11233QC4")).isEqualTo(HexFormat.of().parseHex("0000287fb4cd"));
    assertThat(Base58.encode(new byte[0])).isEmpty();
    assertThat(Base58.decode("")).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "O", "I", "l", "a b", "é", "-"})
  void base58RefusesOtherCharacters(String text) {
    assertThatThrownBy(() -> Base58.decode(text)).isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @CsvSource({
    "'', ''",
    "f, my",
    "fo, mzxq",
    "foo, mzxw6",
    "foob, mzxw6yq",
    "fooba, mzxw6ytb",
    "foobar, mzxw6ytboi"
  })
  void base32HasTheVectorsOfRfc4648(String text, String encoded) {
    assertThat(Base32.encode(ascii(text))).isEqualTo(encoded);
    assertThat(Base32.decode(encoded)).isEqualTo(ascii(text));
  }

  @ParameterizedTest
  @ValueSource(strings = {"m", "mz", "MY", "my======", "1a", "mzxw6ytbo"})
  void base32RefusesBitsLeftOverAndOtherCharacters(String text) {
    assertThatThrownBy(() -> Base32.decode(text)).isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @CsvSource({
    "0, 00",
    "1, 01",
    "127, 7f",
    "128, 8001",
    "255, ff01",
    "300, ac02",
    "16384, 808001",
    "9223372036854775807, ffffffffffffffff7f"
  })
  void varintsHaveTheVectorsOfUnsignedVarint(long value, String hex) {
    byte[] bytes = HexFormat.of().parseHex(hex);
    assertThat(Varint.encode(value)).isEqualTo(bytes);
    assertThat(Varint.size(value)).isEqualTo(bytes.length);
    assertThat(Varint.read(bytes, 0)).isEqualTo(new Varint.Read(value, bytes.length));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "80",
        "8000",
        "8100",
        "ff8000",
        "ffffffffffffffffff01",
        "80808080808080808001"
      })
  void varintsThatAreCutShortTooLongOrNotShortestAreRefused(String hex) {
    assertThatThrownBy(() -> Varint.read(HexFormat.of().parseHex(hex), 0))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}

package io.rigmesh.ledger.account;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.protocol.AccountKey;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KeystoreTest {
  /// A test vector of the Web3 Secret Storage Definition. Its vector for scrypt has n and r that
  /// RFC 7914 does not allow; cast's files stand in for it in KeystoreIT.
  private static final String VECTOR_KEY =
      "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d";

  private static final String PBKDF2 =
      """
      {"crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":"6087dab2f9fdbbfaddc31a909735c1e6"},
      "ciphertext":"5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46","kdf":"pbkdf2",
      "kdfparams":{"c":262144,"dklen":32,"prf":"hmac-sha256",
      "salt":"ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd"},
      "mac":"517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2"},
      "id":"3198bc9c-6672-5ab3-d995-4942343ae5b6","version":3}
      """;

  private static final String SCRYPT =
      """
      {"crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":"83dbcc02d8ccb40e466191a123791e0e"},
      "ciphertext":"d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c","kdf":"scrypt",
      "kdfparams":{"dklen":32,"n":262144,"p":1,"r":8,
      "salt":"ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19"},
      "mac":"2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097"},
      "id":"3198bc9c-6672-5ab3-d995-4942343ae5b6","version":3}
      """;

  @TempDir Path folder;

  private static char[] password(String text) {
    return text.toCharArray();
  }

  @Test
  void aKeyComesBackAndOnlyItsOwnerMayReadTheFile() throws IOException {
    AccountKey key = AccountKey.generate();
    Path file = folder.resolve("keys").resolve("node.json");
    Keystore.create(file, key, password("correct horse"));

    assertThat(Keystore.open(file, password("correct horse")).secret()).isEqualTo(key.secret());
    assertThat(Keystore.address(file)).isEqualTo(key.address());
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-------");
    try (Stream<Path> files = Files.list(file.getParent())) {
      assertThat(files).containsExactly(file);
    }
  }

  @Test
  void theStandardsOwnVectorOpens() throws IOException {
    Path file = folder.resolve("vector.json");
    Files.writeString(file, PBKDF2);
    assertThat(Keystore.open(file, password("testpassword")).secret())
        .isEqualTo(AccountKey.fromHex(VECTOR_KEY).secret());
  }

  @Test
  void aWrongPasswordIsSaid() {
    Path file = folder.resolve("node.json");
    Keystore.create(file, AccountKey.generate(), password("right"));
    assertThatThrownBy(() -> Keystore.open(file, password("wrong")))
        .isInstanceOf(KeystoreException.class)
        .hasMessageContaining("does not open with this password");
  }

  @Test
  void aKeyIsNeverReplacedByAnother() {
    Path file = folder.resolve("node.json");
    AccountKey first = AccountKey.generate();
    Keystore.create(file, first, password("p"));
    assertThatThrownBy(() -> Keystore.create(file, AccountKey.generate(), password("p")))
        .isInstanceOf(KeystoreException.class)
        .hasMessageContaining("already");
    assertThat(Keystore.open(file, password("p")).address()).isEqualTo(first.address());
    assertThatThrownBy(() -> Keystore.create(folder.resolve("other"), first, password("")))
        .hasMessageContaining("is empty");
  }

  @Test
  void aFileWhoseAddressIsAnothersIsRefused() throws IOException {
    Path file = folder.resolve("node.json");
    Keystore.create(file, AccountKey.generate(), password("p"));
    String address = Keystore.address(file).hex().substring(2).toLowerCase(java.util.Locale.ROOT);
    Files.writeString(file, Files.readString(file).replace(address, "ab".repeat(20)));
    assertThatThrownBy(() -> Keystore.open(file, password("p")))
        .isInstanceOf(KeystoreException.class)
        .hasMessageContaining("edited or mixed up");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "{}",
        "[]",
        "not json",
        "{\"version\":3}",
        "{\"version\":1,\"crypto\":{}}",
        "{\"version\":3,\"crypto\":{\"kdf\":\"none\",\"kdfparams\":{}}}"
      })
  void anythingElseIsRefusedByName(String content) throws IOException {
    Path file = folder.resolve("strange.json");
    Files.writeString(file, content);
    assertThatThrownBy(() -> Keystore.open(file, password("p")))
        .isInstanceOf(KeystoreException.class)
        .hasMessageContaining("strange.json");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"n\":1073741824",
        "\"n\":262143",
        "\"n\":0",
        "\"n\":-2",
        "\"n\":262144,\"r\":100000",
        "\"n\":262144,\"r\":1"
      })
  void parametersThatWouldTakeAllMemoryAreRefusedBeforeTheyDo(String hostile) throws IOException {
    Path file = folder.resolve("hostile.json");
    String content = SCRYPT.replace("\"n\":262144", hostile);
    Files.writeString(
        file, hostile.contains("\"r\"") ? content.replace(",\"r\":8,", ",") : content);
    assertThatThrownBy(() -> Keystore.open(file, password("testpassword")))
        .isInstanceOf(KeystoreException.class)
        .hasMessageContaining("at most 512 MiB");
  }

  @Test
  void aHugeFileIsNotRead() throws IOException {
    Path file = folder.resolve("huge.json");
    Files.write(file, new byte[1 << 20]);
    assertThatThrownBy(() -> Keystore.open(file, password("p")))
        .isInstanceOf(KeystoreException.class)
        .hasMessageContaining("is no keystore");
    assertThatThrownBy(() -> Keystore.open(folder.resolve("none"), password("p")))
        .hasMessageContaining("There is no keystore at");
  }
}

package io.rigmesh.ledger.account;

import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Digests;
import io.rigmesh.protocol.MalformedException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import javax.crypto.Cipher;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Account keys in encrypted files: the Web3 Secret Storage format, version 3, that geth, cast and
/// the wallets share.
///
/// Files are written with scrypt at n = 2^16, r = 8, p = 1. That takes 64 MiB for about a quarter
/// of a second at every guess, and still opens on a small machine; geth's own 2^18 takes 256 MiB.
/// Both are read, as is PBKDF2.
public final class Keystore {
  private static final int SCRYPT_COST = 1 << 16;
  private static final int SCRYPT_BLOCK = 8;
  private static final int SCRYPT_PARALLEL = 1;

  /// A version 3 file has about 500 bytes; a file above this is something else.
  private static final int FILE_BYTES_MAX = 16 * 1024;

  private static final JsonMapper JSON = JsonMapper.builder().build();

  private Keystore() {}

  /// Writes a key to a new file that only its owner may read (mode 0600). The file appears whole or
  /// not at all.
  ///
  /// @throws KeystoreException if the file exists, cannot be written, or the password is empty
  public static void create(Path file, AccountKey key, char[] password) {
    if (password.length == 0) {
      throw new KeystoreException("The password for " + file + " is empty; give one.");
    }
    SecureRandom random = new SecureRandom();
    byte[] salt = new byte[32];
    byte[] iv = new byte[16];
    random.nextBytes(salt);
    random.nextBytes(iv);
    KeyDerivation derivation =
        new KeyDerivation.Scrypt(SCRYPT_COST, SCRYPT_BLOCK, SCRYPT_PARALLEL, salt);
    byte[] derived = derivation.derive(password);
    byte[] cipherText = aesCtr(Cipher.ENCRYPT_MODE, derived, iv, key.secret());
    HexFormat hex = HexFormat.of();
    Map<String, Object> crypto = new LinkedHashMap<>();
    crypto.put("cipher", "aes-128-ctr");
    crypto.put("cipherparams", Map.of("iv", hex.formatHex(iv)));
    crypto.put("ciphertext", hex.formatHex(cipherText));
    crypto.put("kdf", derivation.name());
    crypto.put("kdfparams", derivation.parameters());
    crypto.put("mac", hex.formatHex(mac(derived, cipherText)));
    Map<String, Object> content = new LinkedHashMap<>();
    content.put("address", hex.formatHex(key.address().bytes()));
    content.put("crypto", crypto);
    content.put("id", UUID.randomUUID().toString());
    content.put("version", 3);
    writeNew(file, JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(content));
  }

  /// Opens a file with its password.
  ///
  /// @throws KeystoreException if the file is missing, malformed, asks for absurd amounts of memory
  ///   or time, or does not open with this password
  public static AccountKey open(Path file, char[] password) {
    JsonNode json = read(file);
    AccountKey key;
    try {
      JsonNode crypto = json.path("crypto");
      if (!crypto.path("cipher").asString("").equals("aes-128-ctr")) {
        throw new MalformedException("crypto.cipher is not aes-128-ctr");
      }
      byte[] iv = hex(crypto.path("cipherparams"), "iv", 16, 16);
      byte[] cipherText = hex(crypto, "ciphertext", 32, 32);
      byte[] mac = hex(crypto, "mac", 32, 32);
      byte[] derived = KeyDerivation.read(crypto).derive(password);
      if (!MessageDigest.isEqual(mac, mac(derived, cipherText))) {
        throw new KeystoreException(
            "The keystore "
                + file
                + " does not open with this password; check the password file that belongs to it.");
      }
      key = AccountKey.of(aesCtr(Cipher.DECRYPT_MODE, derived, iv, cipherText));
    } catch (MalformedException e) {
      throw new KeystoreException(
          "The keystore " + file + " is malformed: " + e.getMessage() + ".", e);
    }
    // The standard lets the address be left out.
    if (json.has("address") && !addressIn(file, json).equals(key.address())) {
      throw new KeystoreException(
          "The keystore "
              + file
              + " names the account "
              + addressIn(file, json)
              + " but holds the key of "
              + key.address()
              + "; it was edited or mixed up.");
    }
    return key;
  }

  /// The account that a file says it holds, without its password.
  public static Address address(Path file) {
    return addressIn(file, read(file));
  }

  private static Address addressIn(Path file, JsonNode json) {
    if (!json.has("address")) {
      throw new KeystoreException(
          "The keystore " + file + " does not name its account; open it to see.");
    }
    try {
      return Address.fromHex(json.path("address").asString("").toLowerCase(Locale.ROOT));
    } catch (MalformedException e) {
      throw new KeystoreException(
          "The field address of the keystore " + file + " is wrong: " + e.getMessage() + ".", e);
    }
  }

  private static JsonNode read(Path file) {
    byte[] content;
    try (InputStream in = Files.newInputStream(file)) {
      content = in.readNBytes(FILE_BYTES_MAX + 1);
    } catch (NoSuchFileException e) {
      throw new KeystoreException("There is no keystore at " + file + ".", e);
    } catch (IOException e) {
      throw new KeystoreException("The keystore " + file + " cannot be read: " + e.getMessage(), e);
    }
    if (content.length > FILE_BYTES_MAX) {
      throw new KeystoreException(
          file + " is above " + FILE_BYTES_MAX + " bytes, so it is no keystore.");
    }
    try {
      JsonNode json = JSON.readTree(content);
      if (json.path("version").asInt(0) != 3) {
        throw new KeystoreException(file + " is no keystore of version 3.");
      }
      return json;
    } catch (JacksonException e) {
      throw new KeystoreException(file + " is no keystore: " + e.getOriginalMessage(), e);
    }
  }

  /// A field of hexadecimal digits, between two lengths in bytes.
  static byte[] hex(JsonNode node, String field, int bytesMin, int bytesMax) {
    String digits = node.path(field).asString("");
    if (digits.length() < 2 * bytesMin || digits.length() > 2 * bytesMax) {
      throw new MalformedException("the field " + field + " has a wrong length or is missing");
    }
    try {
      return HexFormat.of().parseHex(digits);
    } catch (IllegalArgumentException e) {
      throw new MalformedException("the field " + field + " is not hexadecimal", e);
    }
  }

  /// The first half of the derived bytes encrypts, the second proves the password.
  private static byte[] aesCtr(int mode, byte[] derived, byte[] iv, byte[] text) {
    try {
      Cipher cipher = Cipher.getInstance("AES/CTR/NoPadding");
      cipher.init(mode, new SecretKeySpec(derived, 0, 16, "AES"), new IvParameterSpec(iv));
      return cipher.doFinal(text);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every Java runtime has AES in counter mode", e);
    }
  }

  private static byte[] mac(byte[] derived, byte[] cipherText) {
    return Digests.keccak256(Arrays.copyOfRange(derived, 16, 32), cipherText).bytes();
  }

  private static void writeNew(Path file, byte[] content) {
    Path target = file.toAbsolutePath();
    Path folder = target.getParent();
    if (folder == null) {
      throw new KeystoreException(file + " is no place for a keystore; name a file in a folder.");
    }
    try {
      Files.createDirectories(folder);
      Path temporary =
          Files.createTempFile(
              folder,
              ".keystore",
              ".tmp",
              PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      try {
        try (FileChannel channel = FileChannel.open(temporary, Set.of(StandardOpenOption.WRITE))) {
          ByteBuffer buffer = ByteBuffer.wrap(content);
          while (buffer.hasRemaining()) {
            channel.write(buffer);
          }
          channel.force(true);
        }
        // A hard link fails where the name is taken, so a key is never replaced by another.
        Files.createLink(target, temporary);
      } finally {
        Files.deleteIfExists(temporary);
      }
    } catch (FileAlreadyExistsException e) {
      throw new KeystoreException(
          "There is a keystore at " + file + " already; move it away or name another file.", e);
    } catch (IOException e) {
      throw new KeystoreException(
          "The keystore " + file + " cannot be written: " + e.getMessage(), e);
    }
  }
}

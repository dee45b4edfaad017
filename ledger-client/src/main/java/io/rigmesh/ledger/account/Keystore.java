package io.rigmesh.ledger.account;

import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.MalformedException;
import java.io.IOException;
import java.io.InputStream;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import org.web3j.crypto.ECKeyPair;
import org.web3j.crypto.Wallet;
import org.web3j.crypto.WalletFile;
import org.web3j.crypto.exception.CipherException;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/// Account keys in encrypted files: the Web3 Secret Storage format, version 3, that geth, cast and
/// the wallets share.
///
/// Files are written with scrypt at N = 2^16, r = 8, p = 1. That takes 64 MiB for about a quarter
/// of a second at every guess, and still opens on a small machine; geth's own 2^18 takes 256 MiB.
/// Both are read, as is PBKDF2.
public final class Keystore {
  private static final int SCRYPT_COST = 1 << 16;
  private static final int SCRYPT_PARALLEL = 1;

  /// A version 3 file has about 500 bytes; a file above this is something else.
  private static final int FILE_BYTES_MAX = 16 * 1024;

  private static final long SCRYPT_BYTES_MAX = 512L * 1024 * 1024;
  private static final int SCRYPT_PARALLEL_MAX = 16;
  private static final int PBKDF2_ROUNDS_MAX = 10_000_000;
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
    byte[] content;
    try {
      ECKeyPair pair = ECKeyPair.create(new BigInteger(1, key.secret()));
      content =
          JSON.writerWithDefaultPrettyPrinter()
              .writeValueAsBytes(
                  Wallet.create(new String(password), pair, SCRYPT_COST, SCRYPT_PARALLEL));
    } catch (CipherException e) {
      throw new KeystoreException("The key for " + file + " could not be encrypted.", e);
    }
    writeNew(file, content);
  }

  /// Opens a file with its password.
  ///
  /// @throws KeystoreException if the file is missing, malformed, asks for absurd amounts of memory
  ///   or time, or does not open with this password
  public static AccountKey open(Path file, char[] password) {
    WalletFile wallet = read(file);
    checkCost(file, wallet.getCrypto());
    AccountKey key;
    try {
      ECKeyPair pair = Wallet.decrypt(new String(password), wallet);
      key = AccountKey.of(thirtyTwoBytes(pair.getPrivateKey()));
    } catch (CipherException e) {
      throw new KeystoreException(
          "The keystore "
              + file
              + " does not open with this password; check the password file that belongs to it.",
          e);
    } catch (RuntimeException e) {
      throw new KeystoreException(
          "The keystore " + file + " is damaged; restore it from a backup.", e);
    }
    Address named = addressIn(file, wallet);
    if (!named.equals(key.address())) {
      throw new KeystoreException(
          "The keystore "
              + file
              + " names the account "
              + named
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

  private static Address addressIn(Path file, WalletFile wallet) {
    try {
      return Address.fromHex(wallet.getAddress());
    } catch (MalformedException e) {
      throw new KeystoreException(
          "The field address of the keystore " + file + " is wrong: " + e.getMessage() + ".", e);
    }
  }

  private static WalletFile read(Path file) {
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
    WalletFile wallet;
    try {
      wallet = JSON.readValue(content, WalletFile.class);
    } catch (JacksonException e) {
      throw new KeystoreException(
          file + " is not a version 3 keystore: " + e.getOriginalMessage(), e);
    }
    WalletFile.Crypto crypto = wallet.getCrypto();
    if (wallet.getVersion() != 3
        || wallet.getAddress() == null
        || crypto == null
        || crypto.getKdfparams() == null
        || crypto.getCipherparams() == null) {
      throw new KeystoreException(
          file
              + " lacks one of the fields version (3), address, crypto.kdfparams and crypto.cipherparams of a"
              + " keystore.");
    }
    return wallet;
  }

  /// A keystore may come from anybody, and its parameters say how much memory and time opening
  /// takes.
  private static void checkCost(Path file, WalletFile.Crypto crypto) {
    switch (crypto.getKdfparams()) {
      case WalletFile.ScryptKdfParams scrypt -> {
        long bytes = 128L * Math.max(scrypt.getN(), 0) * Math.max(scrypt.getR(), 0);
        if (scrypt.getN() < 2
            || Integer.bitCount(scrypt.getN()) != 1
            || scrypt.getR() < 1
            || scrypt.getP() < 1
            || scrypt.getP() > SCRYPT_PARALLEL_MAX
            || scrypt.getDklen() != 32
            || bytes > SCRYPT_BYTES_MAX) {
          throw new KeystoreException(
              "The keystore "
                  + file
                  + " asks for scrypt with n="
                  + scrypt.getN()
                  + ", r="
                  + scrypt.getR()
                  + ", p="
                  + scrypt.getP()
                  + ", dklen="
                  + scrypt.getDklen()
                  + "; at most 512 MiB (128*n*r) and p=16 are allowed.");
        }
      }
      case WalletFile.Aes128CtrKdfParams pbkdf2 -> {
        if (pbkdf2.getC() < 1 || pbkdf2.getC() > PBKDF2_ROUNDS_MAX || pbkdf2.getDklen() != 32) {
          throw new KeystoreException(
              "The keystore "
                  + file
                  + " asks for PBKDF2 with c="
                  + pbkdf2.getC()
                  + "; at most "
                  + PBKDF2_ROUNDS_MAX
                  + " rounds are allowed.");
        }
      }
      default ->
          throw new KeystoreException(
              "The keystore " + file + " uses an unknown kdf; scrypt and pbkdf2 are known.");
    }
  }

  private static byte[] thirtyTwoBytes(BigInteger value) {
    byte[] out = new byte[32];
    byte[] raw = value.toByteArray();
    int from = Math.max(0, raw.length - 32);
    System.arraycopy(raw, from, out, 32 - (raw.length - from), raw.length - from);
    return out;
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

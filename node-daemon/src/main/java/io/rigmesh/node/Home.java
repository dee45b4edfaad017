package io.rigmesh.node;

import io.rigmesh.ledger.account.Keystore;
import io.rigmesh.ledger.account.KeystoreException;
import io.rigmesh.libp2p.identity.PrivateKey;
import io.rigmesh.node.config.ConfigException;
import io.rigmesh.node.config.KeysConfig;
import io.rigmesh.node.config.NodeConfig;
import io.rigmesh.protocol.AccountKey;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The node's folder: made on the first start, with keys, a password and a token that nobody chose,
/// each readable by its owner alone; locked against a second daemon.
public final class Home implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Home.class);
  private static final int SECRET_BYTES = 32;
  private static final int SECRET_FILE_BYTES_MAX = 4_096;

  private final FileChannel channel;
  private final FileLock lock;
  private final AccountKey key;
  private final PrivateKey peerKey;

  private Home(FileChannel channel, FileLock lock, AccountKey key, PrivateKey peerKey) {
    this.channel = channel;
    this.lock = lock;
    this.key = key;
    this.peerKey = peerKey;
  }

  /// Opens the folder, and makes what is missing.
  ///
  /// @throws ConfigException if it cannot be used, or another daemon uses it
  public static Home open(NodeConfig config) {
    Path home = config.home();
    try {
      privateFolder(home);
      for (Path folder :
          List.of(config.blobsFolder(), config.jobsFolder(), config.workersFolder())) {
        privateFolder(folder);
      }
      FileChannel channel =
          FileChannel.open(
              home.resolve("rigmesh.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      FileLock lock;
      try {
        lock = channel.tryLock();
      } catch (OverlappingFileLockException e) {
        channel.close();
        throw new ConfigException(inUse(home), e);
      }
      if (lock == null) {
        channel.close();
        throw new ConfigException(inUse(home));
      }
      secret(config.rest().tokenFile(), "REST token");
      return new Home(
          channel, lock, key(config.keys()), PeerKeyFile.open(config.network().keyFile()));
    } catch (IOException e) {
      throw new ConfigException(
          "The folder "
              + home
              + " cannot be used: "
              + e.getMessage()
              + "; make it writable, or name another with RIGMESH_HOME.",
          e);
    }
  }

  /// The account's key.
  public AccountKey key() {
    return key;
  }

  /// The peer's key in the network.
  public PrivateKey peerKey() {
    return peerKey;
  }

  /// Opens the account's keystore, and makes it on the first start.
  ///
  /// @throws ConfigException if it does not open
  public static AccountKey key(KeysConfig config) throws IOException {
    boolean fresh = !Files.exists(config.accountFile());
    String password;
    if (config.password().isPresent()) {
      password = config.password().get();
    } else if (fresh) {
      Path parent = config.accountFile().getParent();
      if (parent != null) {
        privateFolder(parent);
      }
      password = secret(config.passwordFile(), "keystore password");
    } else {
      password = readSecret(config.passwordFile(), "the keystore's password");
    }
    try {
      if (fresh) {
        AccountKey key = AccountKey.generate();
        Keystore.create(config.accountFile(), key, password.toCharArray());
        LOG.info(
            "made the account {} in {}; without that file and its password its money is lost, so"
                + " back both up",
            key.address(),
            config.accountFile());
        return key;
      }
      return Keystore.open(config.accountFile(), password.toCharArray());
    } catch (KeystoreException e) {
      throw new ConfigException(String.valueOf(e.getMessage()), e);
    }
  }

  /// Reads a secret's file, and makes it with random content if there is none.
  private static String secret(Path file, String what) throws IOException {
    if (Files.exists(file)) {
      return readSecret(file, what);
    }
    byte[] random = new byte[SECRET_BYTES];
    new SecureRandom().nextBytes(random);
    return keepSecret(file, what, Base64.getUrlEncoder().withoutPadding().encodeToString(random));
  }

  /// Writes a secret's file that only its owner reads.
  ///
  /// @return what the file holds: the text, or what another process wrote faster
  static String keepSecret(Path file, String what, String text) throws IOException {
    Path parent = file.toAbsolutePath().getParent();
    if (parent == null) {
      throw new ConfigException(file + " is no place for the " + what + ".");
    }
    Files.createDirectories(parent);
    Path temporary =
        Files.createTempFile(
            parent,
            ".secret",
            ".tmp",
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    try {
      try (FileChannel out = FileChannel.open(temporary, StandardOpenOption.WRITE)) {
        out.write(java.nio.ByteBuffer.wrap((text + "\n").getBytes(StandardCharsets.US_ASCII)));
        out.force(true);
      }
      // Fails where another process was faster, whose secret then counts.
      Files.createLink(file, temporary);
    } catch (java.nio.file.FileAlreadyExistsException e) {
      return readSecret(file, what);
    } finally {
      Files.deleteIfExists(temporary);
    }
    LOG.info("made the {} in {}", what, file);
    return text;
  }

  static String readSecret(Path file, String what) {
    try {
      Set<PosixFilePermission> open = EnumSet.copyOf(Files.getPosixFilePermissions(file));
      open.removeAll(
          EnumSet.of(
              PosixFilePermission.OWNER_READ,
              PosixFilePermission.OWNER_WRITE,
              PosixFilePermission.OWNER_EXECUTE));
      if (!open.isEmpty()) {
        throw new ConfigException(
            "Others may read or change "
                + file
                + "; run chmod 600 on it, and consider what it"
                + " holds as known.");
      }
      if (Files.size(file) > SECRET_FILE_BYTES_MAX) {
        throw new ConfigException(file + " is too long to hold " + what + ".");
      }
      String text = Files.readString(file).strip();
      if (text.isEmpty()) {
        throw new ConfigException(file + " is empty; it should hold " + what + ".");
      }
      return text;
    } catch (IOException e) {
      throw new ConfigException(
          file + ", which should hold " + what + ", cannot be read: " + e.getMessage(), e);
    }
  }

  static void privateFolder(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      Files.createDirectories(
          folder,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    }
  }

  private static String inUse(Path home) {
    return "Another daemon uses " + home + "; stop it, or name another folder with RIGMESH_HOME.";
  }

  @Override
  public void close() {
    try {
      lock.release();
      channel.close();
    } catch (IOException e) {
      // The system gives the lock back with the process at the latest.
      LOG.warn("the lock of the home was not given back cleanly", e);
    }
  }
}

package io.rigmesh.node.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rigmesh.ledger.account.Keystore;
import io.rigmesh.ledger.account.KeystoreException;
import io.rigmesh.ledger.account.Mnemonic;
import io.rigmesh.node.config.KeysConfig;
import io.rigmesh.protocol.AccountKey;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// The node's account key.
@Command(
    name = "keys",
    description = "Show, back up and restore the account's and the peer's key.",
    subcommands = {
      KeysCommand.Show.class,
      KeysCommand.Backup.class,
      KeysCommand.Restore.class,
      KeysCommand.Import.class
    })
final class KeysCommand implements Runnable {
  private static final FileAttribute<Set<PosixFilePermission>> OWNER_ONLY =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
  private static final FileAttribute<Set<PosixFilePermission>> OWNER_FOLDER =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
  private static final String ACCOUNT = "account.json";
  private static final String PASSWORD = "password";
  private static final String PEER = "peer.key";

  /// Twenty-four words of at most eight letters, and room for what stands between them.
  private static final int WORDS_BYTES_MAX = 4096;

  private static final int PASSWORD_BYTES = 32;

  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "keys what? show, backup, restore or import");
  }

  /// Shows whose key it is; never the key.
  @Command(name = "show", description = "Show the account and where its keystore lies.")
  static final class Show implements Callable<Integer> {
    @Mixin private NodeOptions node;
    @Mixin private OutputOptions output;

    @Override
    public Integer call() {
      Console console = Console.ofProcess();
      KeysConfig keys = node.settings().keys();
      ObjectNode shown =
          JsonNodeFactory.instance
              .objectNode()
              .put("account", Keystore.address(keys.accountFile()).hex())
              .put("keystore", keys.accountFile().toString());
      if (output.json()) {
        console.print(shown);
      } else {
        console.print("account   " + shown.path("account").asText());
        console.print("keystore  " + shown.path("keystore").asText());
      }
      return ExitCode.OK;
    }
  }

  /// Copies the keystore and its password.
  @Command(
      name = "backup",
      description = {
        "Copy the encrypted keystore, its password and the peer's key into a new folder. Whoever has"
            + " keystore and password has the account: keep them apart from each other and from this"
            + " machine."
      })
  static final class Backup implements Callable<Integer> {
    @Mixin private NodeOptions node;

    @Parameters(paramLabel = "DIR", description = "The folder to make.")
    private Path folder;

    @Override
    public Integer call() {
      KeysConfig keys = node.settings().keys();
      // A backup that does not open is worse than none.
      AccountKey key = open(keys.accountFile(), password(keys, keys.passwordFile()));
      try {
        Files.createDirectory(folder, OWNER_FOLDER);
        write(folder.resolve(ACCOUNT), Files.readAllBytes(keys.accountFile()));
        if (keys.password().isEmpty()) {
          write(folder.resolve(PASSWORD), Files.readAllBytes(keys.passwordFile()));
        }
        Path peerKey = node.settings().network().keyFile();
        if (Files.exists(peerKey)) {
          write(folder.resolve(PEER), Files.readAllBytes(peerKey));
        }
      } catch (IOException e) {
        throw CliException.hopeless("cannot back up to " + folder + ": " + e.getMessage(), e);
      }
      Console.ofProcess().say("backed up " + key.address() + " to " + folder);
      return ExitCode.OK;
    }
  }

  /// Puts a backup in place.
  @Command(name = "restore", description = "Put a backup in place, in a home that has no key.")
  static final class Restore implements Callable<Integer> {
    @Mixin private NodeOptions node;

    @Parameters(paramLabel = "DIR", description = "What 'keys backup' made.")
    private Path folder;

    @Option(
        names = "--password-file",
        paramLabel = "FILE",
        description = "The password's file, if it is kept elsewhere.")
    private @Nullable Path passwordFile;

    @Override
    public Integer call() {
      KeysConfig keys = node.settings().keys();
      Path from = passwordFile == null ? folder.resolve(PASSWORD) : passwordFile;
      AccountKey key = open(folder.resolve(ACCOUNT), password(keys, from));
      if (Files.exists(keys.accountFile())) {
        throw CliException.hopeless(
            keys.accountFile()
                + " holds the key of "
                + Keystore.address(keys.accountFile())
                + "; move it away first, it may hold money");
      }
      try {
        for (Path file : Set.of(keys.accountFile(), keys.passwordFile())) {
          Path parent = file.toAbsolutePath().getParent();
          if (parent != null) {
            Files.createDirectories(parent, OWNER_FOLDER);
          }
        }
        if (keys.password().isEmpty()) {
          Files.deleteIfExists(keys.passwordFile());
          write(keys.passwordFile(), Files.readAllBytes(from));
        }
        write(keys.accountFile(), Files.readAllBytes(folder.resolve(ACCOUNT)));
        restorePeer(folder.resolve(PEER), node.settings().network().keyFile());
      } catch (IOException e) {
        throw CliException.hopeless("cannot restore: " + e.getMessage(), e);
      }
      Console.ofProcess().say("restored " + key.address() + " to " + keys.accountFile());
      return ExitCode.OK;
    }
  }

  /// Makes the account's key from a wallet's words.
  @Command(
      name = "import",
      description = {
        "Make the account's key from a wallet's words (BIP-39), in a home that has no key. The words are"
            + " read from a file or standard input, and are not kept."
      })
  static final class Import implements Callable<Integer> {
    @Mixin private NodeOptions node;

    @Parameters(paramLabel = "FILE", description = "A file with the words; - for standard input.")
    private String file;

    @Option(
        names = "--path",
        paramLabel = "PATH",
        defaultValue = Mnemonic.PATH,
        description = "Which of the wallet's accounts (default: m/44'/60'/0'/0/0).")
    private String path;

    @Option(
        names = "--passphrase-file",
        paramLabel = "FILE",
        description = "A file with the words' passphrase, where the wallet has one.")
    private @Nullable Path passphraseFile;

    @Override
    public Integer call() {
      KeysConfig keys = node.settings().keys();
      if (Files.exists(keys.accountFile())) {
        throw CliException.hopeless(
            keys.accountFile()
                + " holds the key of "
                + Keystore.address(keys.accountFile())
                + "; move it away first, it may hold money");
      }
      AccountKey key;
      try {
        String words =
            file.equals("-")
                ? new String(System.in.readNBytes(WORDS_BYTES_MAX), StandardCharsets.UTF_8)
                : Files.readString(Path.of(file));
        Path passphrase = passphraseFile;
        key =
            Mnemonic.parse(words)
                .key(path, passphrase == null ? "" : Files.readString(passphrase).strip());
        for (Path made : Set.of(keys.accountFile(), keys.passwordFile())) {
          Path parent = made.toAbsolutePath().getParent();
          if (parent != null) {
            Files.createDirectories(parent, OWNER_FOLDER);
          }
        }
        if (keys.password().isEmpty() && !Files.exists(keys.passwordFile())) {
          byte[] password = new byte[PASSWORD_BYTES];
          new SecureRandom().nextBytes(password);
          write(
              keys.passwordFile(),
              HexFormat.of().formatHex(password).getBytes(StandardCharsets.US_ASCII));
        }
      } catch (IOException e) {
        throw CliException.hopeless("cannot import: " + e.getMessage(), e);
      }
      Keystore.create(keys.accountFile(), key, password(keys, keys.passwordFile()).toCharArray());
      Console.ofProcess().say("imported " + key.address() + " to " + keys.accountFile());
      return ExitCode.OK;
    }
  }

  /// A peer's key is only a name: where there is one already, it stays.
  private static void restorePeer(Path backup, Path file) throws IOException {
    if (Files.exists(backup) && !Files.exists(file)) {
      Path parent = file.toAbsolutePath().getParent();
      if (parent != null) {
        Files.createDirectories(parent, OWNER_FOLDER);
      }
      write(file, Files.readAllBytes(backup));
    }
  }

  private static String password(KeysConfig keys, Path file) {
    if (keys.password().isPresent()) {
      return keys.password().get();
    }
    try {
      return Files.readString(file).strip();
    } catch (IOException e) {
      throw CliException.hopeless(
          "the password file " + file + " cannot be read; name it, or set RIGMESH_KEYS_PASSWORD",
          e);
    }
  }

  private static AccountKey open(Path keystore, String password) {
    try {
      return Keystore.open(keystore, password.toCharArray());
    } catch (KeystoreException e) {
      throw CliException.hopeless(String.valueOf(e.getMessage()), e);
    }
  }

  private static void write(Path file, byte[] content) throws IOException {
    Files.createFile(file, OWNER_ONLY);
    Files.write(file, content);
  }
}

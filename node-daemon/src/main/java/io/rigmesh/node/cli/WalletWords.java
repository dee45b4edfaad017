package io.rigmesh.node.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rigmesh.ledger.account.Keystore;
import io.rigmesh.ledger.channel.Session;
import io.rigmesh.ledger.channel.SignedWord;
import io.rigmesh.node.config.NodeConfig;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.MalformedException;
import io.rigmesh.protocol.SessionKey;
import io.rigmesh.protocol.Signature;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.protocol.WalletSignature;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Session keys by a wallet's signature alone: the wallet, which may be a device or a contract,
/// signs a document and sends nothing; any account hands it in.
final class WalletWords {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  /// A document is a kilobyte.
  private static final long DOCUMENT_BYTES_MAX = 64 * 1024;

  private WalletWords() {}

  /// The document for a wallet to sign.
  @Command(
      name = "authorisation",
      description = {
        "Print the document (EIP-712) by which a wallet lets a key move up to a limit of its balance into"
            + " channels. Sign it with that wallet, such as by `cast wallet sign --data --from-file FILE`,"
            + " and hand it in with `rigmesh wallet authorise-signed`."
      })
  static final class Print implements Callable<Integer> {
    @Mixin private NodeOptions options;

    @Parameters(paramLabel = "KEY", description = "The account of the key that may spend.")
    private String key;

    @Option(
        names = "--payer",
        paramLabel = "ADDRESS",
        required = true,
        description = "The wallet's account.")
    private String payer;

    @Option(
        names = "--limit",
        paramLabel = "AMOUNT",
        required = true,
        description = "How many tokens in all.")
    private String limit;

    @Option(
        names = "--days",
        paramLabel = "N",
        defaultValue = "30",
        description = "For how long (default: 30).")
    private int days;

    @Override
    public Integer call() {
      if (days < 1) {
        throw CliException.hopeless("--days is at least 1");
      }
      try (ChainMoney chain = ChainMoney.open(options.settings())) {
        Address from = Address.fromHex(payer);
        SessionKey word =
            new SessionKey(
                from,
                Address.fromHex(key),
                chain.money().token(),
                chain.amount(limit),
                Instant.now().plus(Duration.ofDays(days)).getEpochSecond(),
                chain.money().reads().nonce(from));
        Console console = Console.ofProcess();
        JsonNode document = MAPPER.valueToTree(word.typedData().document(chain.domain()));
        console.print(document);
        console.say(
            "sign this with %s; it stands until that account authorises or revokes a key"
                .formatted(from));
        return ExitCode.OK;
      }
    }
  }

  /// The signed document handed in.
  @Command(
      name = "authorise-signed",
      description = {
        "Hand in a document of `rigmesh wallet authorisation` with the wallet's signature. The account of"
            + " this node, or of --signer, pays the gas."
      })
  static final class HandIn implements Callable<Integer> {
    @Mixin private WalletOptions options;
    @Mixin private OutputOptions output;

    @Parameters(index = "0", paramLabel = "FILE", description = "The document.")
    private Path file;

    @Parameters(
        index = "1",
        paramLabel = "SIGNATURE",
        description = "The wallet's signature, in hex.")
    private String signature;

    @Override
    public Integer call() {
      SessionKey word;
      String shown;
      try (ChainMoney chain = ChainMoney.open(options.settings())) {
        word = read(file, chain.domain());
        SignedWord.require(word, signed(signature), chain.domain(), chain.money().reads());
        shown = chain.text(word.limit());
      }
      return options.with((wallet, _) ->
          WalletMoves.done(
              output,
              "%s may move %s of %s into channels until %s"
                  .formatted(
                      word.key(),
                      shown,
                      word.payer(),
                      Instant.ofEpochSecond(word.expiresAtSeconds())),
              wallet.authorise(word, signed(signature))));
    }
  }

  /// What a key may still do.
  @Command(
      name = "session",
      description =
          "Show what a key may still move of a payer's balance into channels, and until when.")
  static final class Show implements Callable<Integer> {
    @Mixin private NodeOptions options;
    @Mixin private OutputOptions output;

    @Parameters(
        paramLabel = "KEY",
        arity = "0..1",
        description = "The account of the key (default: the node's).")
    private @Nullable String key;

    @Option(
        names = "--payer",
        paramLabel = "ADDRESS",
        description = "Whose money (default: channels.payer, or else the account).")
    private @Nullable String payer;

    @Override
    public Integer call() {
      NodeConfig config = options.settings();
      String named = key;
      String from = payer;
      Address own = Keystore.address(config.keys().accountFile());
      Address spender = named == null ? own : Address.fromHex(named);
      Address owner = from == null ? config.channels().payer().orElse(own) : Address.fromHex(from);
      try (ChainMoney chain = ChainMoney.open(config)) {
        Session session = chain.money().reads().session(owner, spender, chain.money().token());
        String left = chain.text(session.left(chain.rpc().head().timestamp()));
        Console console = Console.ofProcess();
        if (output.json()) {
          ObjectNode shown =
              JsonNodeFactory.instance
                  .objectNode()
                  .put("payer", owner.hex())
                  .put("key", spender.hex())
                  .put("limit", chain.text(session.limit()))
                  .put("spent", chain.text(session.spent()))
                  .put("left", left);
          if (!session.isNone()) {
            shown.put("expiresAt", session.expiresAt().toString());
          }
          console.print(shown);
        } else if (session.isNone()) {
          console.print("%s may move nothing of %s into channels".formatted(spender, owner));
        } else {
          console.print(
              "%s may move %s more of %s into channels, of %s in all, until %s"
                  .formatted(
                      spender, left, owner, chain.text(session.limit()), session.expiresAt()));
        }
        return ExitCode.OK;
      }
    }
  }

  /// Reads a document back, and requires that it is one of this chain and contract: what is handed
  /// in is what was signed.
  private static SessionKey read(Path file, Domain domain) {
    try {
      if (Files.size(file) > DOCUMENT_BYTES_MAX) {
        throw CliException.hopeless(file + " is no document of `rigmesh wallet authorisation`");
      }
      JsonNode document = MAPPER.readTree(file.toFile());
      JsonNode message = document.path("message");
      SessionKey word =
          new SessionKey(
              Address.fromHex(message.path("payer").asText()),
              Address.fromHex(message.path("key").asText()),
              Address.fromHex(message.path("token").asText()),
              new TokenAmount(new BigInteger(message.path("limit").asText())),
              Long.parseUnsignedLong(message.path("expiresAt").asText()),
              new BigInteger(message.path("nonce").asText()));
      if (!MAPPER.valueToTree(word.typedData().document(domain)).equals(document)) {
        throw CliException.hopeless(
            file
                + " is not for the chain "
                + domain.chainId()
                + " and the contract "
                + domain.verifyingContract()
                + ", or was changed; print it again");
      }
      return word;
    } catch (JsonProcessingException | IllegalArgumentException | MalformedException e) {
      throw CliException.hopeless(
          file + " is no document of `rigmesh wallet authorisation`: " + e.getMessage(), e);
    } catch (IOException e) {
      throw CliException.hopeless(file + " cannot be read: " + e.getMessage(), e);
    }
  }

  /// Some devices give 0 and 1 for the last byte, where the chain wants 27 and 28.
  private static WalletSignature signed(String hex) {
    try {
      byte[] bytes = WalletSignature.fromHex(hex.strip()).bytes();
      if (bytes.length == Signature.BYTES && (bytes[64] == 0 || bytes[64] == 1)) {
        bytes[64] = (byte) (bytes[64] + 27);
      }
      return WalletSignature.of(bytes);
    } catch (MalformedException e) {
      throw CliException.hopeless(e.sentence(), e);
    }
  }
}

package io.rigmesh.ledger.dev;

import io.rigmesh.ledger.ChainMismatchException;
import io.rigmesh.ledger.LedgerException;
import io.rigmesh.ledger.chain.ChainRpc;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.MalformedException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Where the market's contracts are on a chain. Kept in a small JSON file that all nodes of that
/// chain share.
///
/// @param chainId the chain's EIP-155 id
/// @param genesis the hash of its block zero, which tells development chains apart
/// @param token the payment token
/// @param registry the ProviderRegistry
/// @param escrow the JobEscrow
/// @param channels the PaymentChannels
/// @param receipts the ReceiptLog
/// @param block the block of the first of them; there are no events before it
public record Deployment(
    long chainId,
    Hash genesis,
    Address token,
    Address registry,
    Address escrow,
    Address channels,
    Address receipts,
    long block) {
  private static final int FILE_BYTES_MAX = 16 * 1024;
  private static final JsonMapper JSON = JsonMapper.builder().build();

  /// Reads a deployment file.
  ///
  /// @throws LedgerException if it is missing or malformed; the message names the file and the
  ///   field
  public static Deployment read(Path file) {
    byte[] content;
    try (InputStream in = Files.newInputStream(file)) {
      content = in.readNBytes(FILE_BYTES_MAX + 1);
    } catch (NoSuchFileException e) {
      throw new LedgerException(
          "There is no deployment file at " + file + "; deploy the contracts or name the file.", e);
    } catch (IOException e) {
      throw new LedgerException(
          "The deployment file " + file + " cannot be read: " + e.getMessage(), e);
    }
    if (content.length > FILE_BYTES_MAX) {
      throw new LedgerException(
          file + " is above " + FILE_BYTES_MAX + " bytes, so it is no deployment file.");
    }
    JsonNode json;
    try {
      json = JSON.readTree(content);
    } catch (JacksonException e) {
      throw new LedgerException(file + " is not JSON: " + e.getOriginalMessage(), e);
    }
    return new Deployment(
        number(file, json, "chainId"),
        Hash.fromHex(text(file, json, "genesis", 66)),
        address(file, json, "token"),
        address(file, json, "registry"),
        address(file, json, "escrow"),
        address(file, json, "channels"),
        address(file, json, "receipts"),
        number(file, json, "block"));
  }

  /// Writes the file; it appears whole or not at all.
  public void write(Path file) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("chainId", chainId);
    json.put("genesis", genesis.hex());
    json.put("token", token.hex());
    json.put("registry", registry.hex());
    json.put("escrow", escrow.hex());
    json.put("channels", channels.hex());
    json.put("receipts", receipts.hex());
    json.put("block", block);
    Path target = file.toAbsolutePath();
    Path temporary = target.resolveSibling(target.getFileName() + ".tmp");
    try {
      Files.write(temporary, JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(json));
      Files.move(
          temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new LedgerException(
          "The deployment file " + file + " cannot be written: " + e.getMessage(), e);
    }
  }

  /// Checks that the chain is the one of this deployment, and that the contracts are there.
  ///
  /// @throws ChainMismatchException if not
  public void requireOn(ChainRpc rpc) {
    if (rpc.chainId() != chainId || !rpc.genesisHash().equals(genesis)) {
      throw new ChainMismatchException(
          "The deployment is for the chain %d that began with block %s, and the endpoint serves another; a"
                  .formatted(chainId, genesis)
              + " development chain that was started anew needs a new deployment.");
    }
    for (Address contract : new Address[] {token, registry, escrow, channels, receipts}) {
      if (!rpc.hasCode(contract)) {
        throw new ChainMismatchException(
            "There is no contract at %s on the chain %d; deploy again."
                .formatted(contract, chainId));
      }
    }
  }

  private static long number(Path file, JsonNode json, String field) {
    JsonNode node = json.path(field);
    if (!node.isIntegralNumber() || !node.canConvertToLong() || node.longValue() < 0) {
      throw new LedgerException("The field " + field + " of " + file + " is no number.");
    }
    return node.longValue();
  }

  private static Address address(Path file, JsonNode json, String field) {
    try {
      return Address.fromHex(text(file, json, field, 42));
    } catch (MalformedException e) {
      throw new LedgerException(
          "The field " + field + " of " + file + " is wrong: " + e.getMessage() + ".", e);
    }
  }

  private static String text(Path file, JsonNode json, String field, int length) {
    JsonNode node = json.path(field);
    if (!node.isString() || node.stringValue().length() != length) {
      throw new LedgerException(
          "The field " + field + " of " + file + " is no text of " + length + " characters.");
    }
    return node.stringValue();
  }
}

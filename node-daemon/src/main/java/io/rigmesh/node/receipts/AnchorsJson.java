package io.rigmesh.node.receipts;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rigmesh.ledger.receipt.ReceiptProof;
import io.rigmesh.node.jobs.JsonFields;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.MalformedException;
import io.rigmesh.protocol.ProtocolJson;
import io.rigmesh.protocol.SignedReceipt;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The JSON of anchored roots and of proofs, as REST carries it; a proof is a file as well.
public final class AnchorsJson {
  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
  private static final String FORMAT = "rigmesh-receipt-proof-1";

  /// A tree of more receipts than anybody has would need longer ones.
  private static final int PATH_MAX = 31;

  private AnchorsJson() {}

  /// What was anchored and what waits: `{"chainId", "log", "account", "waiting", "anchors": [{
  /// "root", "receipts", "createdAt", "anchoredAt"?, "transaction"?, "block"?}]}`.
  public static ObjectNode write(Anchors.Listing listing) {
    ObjectNode node =
        NODES
            .objectNode()
            .put("chainId", Long.toString(listing.chainId()))
            .put("log", listing.log().hex())
            .put("account", listing.account().hex())
            .put("waiting", listing.waiting());
    ArrayNode anchors = node.putArray("anchors");
    listing.anchors().forEach(anchor -> anchors.add(write(anchor)));
    return node;
  }

  private static ObjectNode write(Anchors.Anchor anchor) {
    ObjectNode node =
        NODES
            .objectNode()
            .put("root", anchor.row().root().hex())
            .put("receipts", anchor.row().receipts())
            .put("createdAt", anchor.row().createdAt().toString());
    anchor.row().anchoredAt().ifPresent(at -> node.put("anchoredAt", at.toString()));
    anchor
        .inclusion()
        .ifPresent(in ->
            node.put("transaction", in.transaction().hex())
                .put("block", Long.toString(in.blockNumber())));
    return node;
  }

  /// A root that is confirmed: `{"id", "status": "confirmed", "root", "receipts", "anchoredAt",
  /// "transaction"?, "block"?, "gasUsed"?, "waiting"}`; the transaction is missing where another
  /// program of the account made it.
  public static ObjectNode write(String id, Anchors.Anchored anchored) {
    Anchors.Anchor anchor = anchored.anchor();
    ObjectNode node =
        NODES
            .objectNode()
            .put("id", id)
            .put("status", "confirmed")
            .put("root", anchor.row().root().hex())
            .put("receipts", anchor.row().receipts());
    anchor.row().anchoredAt().ifPresent(at -> node.put("anchoredAt", at.toString()));
    anchor
        .inclusion()
        .ifPresent(in ->
            node.put("transaction", in.transaction().hex())
                .put("block", Long.toString(in.blockNumber()))
                .put("gasUsed", Long.toString(in.gasUsed())));
    return node.put("waiting", anchored.waiting());
  }

  /// A proof: `{"format", "chainId", "log", "account", "root", "anchoredAt", "transaction"?,
  /// "block"?, "receiptHash", "index", "receipts", "path", "domain", "receipt"}`.
  public static ObjectNode write(AnchoredReceipt claim) {
    ReceiptProof proof = claim.proof();
    ObjectNode node =
        NODES
            .objectNode()
            .put("format", FORMAT)
            .put("chainId", Long.toString(claim.chainId()))
            .put("log", claim.log().hex())
            .put("account", claim.account().hex())
            .put("root", proof.root().hex())
            .put("anchoredAt", claim.anchoredAt().toString());
    claim
        .where()
        .ifPresent(where ->
            node.put("transaction", where.transaction().hex())
                .put("block", Long.toString(where.block())));
    node.put("receiptHash", claim.receipt().receipt().hash().hex())
        .put("index", proof.index())
        .put("receipts", proof.count());
    ArrayNode path = node.putArray("path");
    proof.path().forEach(hash -> path.add(hash.hex()));
    node.putObject("domain")
        .put("chainId", Long.toString(claim.domain().chainId()))
        .put("verifyingContract", claim.domain().verifyingContract().hex());
    node.set("receipt", ProtocolJson.write(claim.receipt()));
    return node;
  }

  /// Reads a proof; whether it is true is for [ProofCheck].
  ///
  /// @throws MalformedException if it is none, naming the field
  public static AnchoredReceipt read(JsonNode json) {
    JsonFields whole = new JsonFields(json, "the proof");
    String format = whole.text("format");
    if (!format.equals(FORMAT)) {
      throw new MalformedException("the proof.format is " + FORMAT + ", not '" + format + "'");
    }
    long chainId = whole.integer("chainId");
    Address log = whole.text("log", Address::fromHex);
    Address account = whole.text("account", Address::fromHex);
    Hash root = whole.text("root", Hash::fromHex);
    Instant anchoredAt = whole.text("anchoredAt", AnchorsJson::time);
    Optional<Hash> transaction = whole.optionalText("transaction", Hash::fromHex);
    Optional<Long> block = whole.optionalInteger("block");
    Hash receiptHash = whole.text("receiptHash", Hash::fromHex);
    int index = number(whole, "index");
    int receipts = number(whole, "receipts");
    List<Hash> path = path(whole.list("path"));
    JsonFields named = new JsonFields(whole.node("domain"), "domain");
    Domain domain =
        new Domain(named.integer("chainId"), named.text("verifyingContract", Address::fromHex));
    named.end();
    SignedReceipt receipt = ProtocolJson.readSignedReceipt(whole.node("receipt"), "receipt");
    whole.end();
    if (chainId < 1) {
      throw new MalformedException("the proof.chainId is at least 1");
    }
    if (index >= receipts) {
      throw new MalformedException("the proof.index lies below receipts = " + receipts);
    }
    if (!receiptHash.equals(receipt.receipt().hash())) {
      throw new MalformedException(
          "the proof.receiptHash is "
              + receiptHash
              + ", and its receipt's is "
              + receipt.receipt().hash());
    }
    return new AnchoredReceipt(
        chainId,
        log,
        account,
        anchoredAt,
        transaction.flatMap(hash -> block.map(number -> new AnchoredReceipt.Where(hash, number))),
        domain,
        receipt,
        new ReceiptProof(root, index, receipts, path));
  }

  private static int number(JsonFields fields, String name) {
    long value = fields.integer(name);
    if (value < 0 || value > Integer.MAX_VALUE) {
      throw new MalformedException("the proof." + name + " lies between 0 and 2^31");
    }
    return (int) value;
  }

  private static List<Hash> path(List<JsonNode> elements) {
    if (elements.size() > PATH_MAX) {
      throw new MalformedException("the proof.path has at most " + PATH_MAX + " hashes");
    }
    List<Hash> path = new ArrayList<>();
    for (JsonNode element : elements) {
      if (!element.isTextual()) {
        throw new MalformedException("the proof.path is a list of hashes");
      }
      path.add(Hash.fromHex(element.textValue()));
    }
    return path;
  }

  private static Instant time(String text) {
    try {
      return Instant.parse(text);
    } catch (DateTimeParseException e) {
      throw new IllegalArgumentException("it is a time such as 2030-01-31T12:00:00Z", e);
    }
  }
}

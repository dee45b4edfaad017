package io.rigmesh.node;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rigmesh.ledger.channel.Channel;
import io.rigmesh.ledger.channel.Handover;
import io.rigmesh.ledger.channel.WatchedChannel;
import io.rigmesh.node.jobs.JsonFields;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.SignedVoucher;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.protocol.Voucher;
import io.rigmesh.protocol.WalletSignature;

/// The JSON of guarded channels and of what is handed over for guarding, as REST and files carry
/// it.
public final class WatchJson {
  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

  private WatchJson() {}

  /// A channel's terms and newest voucher: `{"terms": {"payer", "signer", "payee", "token",
  /// "salt"}, "voucher": {"amount", "receiptsRoot", "signature"}}`; amount and salt are texts.
  public static ObjectNode write(Handover handover) {
    ObjectNode node = NODES.objectNode();
    ChannelTerms terms = handover.terms();
    node.putObject("terms")
        .put("payer", terms.payer().hex())
        .put("signer", terms.signer().hex())
        .put("payee", terms.payee().hex())
        .put("token", terms.token().hex())
        .put("salt", Long.toUnsignedString(terms.salt()));
    SignedVoucher signed = handover.voucher();
    node.putObject("voucher")
        .put("amount", signed.voucher().amount().toString())
        .put("receiptsRoot", signed.voucher().receiptsRoot().hex())
        .put("signature", signed.signature().hex());
    return node;
  }

  /// Reads the same.
  ///
  /// @throws io.rigmesh.protocol.MalformedException if it is none, naming the field
  public static Handover read(JsonNode json) {
    JsonFields whole = new JsonFields(json, "the handover");
    JsonFields named = new JsonFields(whole.node("terms"), "terms");
    ChannelTerms terms =
        new ChannelTerms(
            named.text("payer", Address::fromHex),
            named.text("signer", Address::fromHex),
            named.text("payee", Address::fromHex),
            named.text("token", Address::fromHex),
            named.text("salt", Long::parseUnsignedLong));
    named.end();
    JsonFields newest = new JsonFields(whole.node("voucher"), "voucher");
    SignedVoucher voucher =
        new SignedVoucher(
            new Voucher(
                terms.id(),
                newest.text("amount", TokenAmount::parse),
                newest.text("receiptsRoot", Hash::fromHex)),
            newest.text("signature", WalletSignature::fromHex));
    newest.end();
    whole.end();
    return new Handover(terms, voucher);
  }

  /// A guarded channel: `{"id", "payer", "payee", "state", "deposit", "redeemed", "promised",
  /// "closesAt"?}`; the deposit is zero until the chain was asked.
  public static ObjectNode write(WatchedChannel watched) {
    Channel channel = watched.channel();
    ObjectNode node =
        NODES
            .objectNode()
            .put("id", channel.terms().id().hex())
            .put("payer", channel.terms().payer().hex())
            .put("payee", channel.terms().payee().hex())
            .put(
                "state",
                channel.closed() ? "closed" : channel.closesAt().isPresent() ? "closing" : "open")
            .put("deposit", channel.deposit().toString())
            .put("redeemed", channel.redeemed().toString())
            .put("promised", watched.promised().toString());
    channel.closesAt().ifPresent(at -> node.put("closesAt", at.toString()));
    return node;
  }
}

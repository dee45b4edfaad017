package io.rigmesh.node;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rigmesh.ledger.chain.EndpointHealth;
import io.rigmesh.node.chain.Contracts;
import io.rigmesh.node.jobs.JobJson;
import io.rigmesh.protocol.JobKind;
import io.rigmesh.scheduler.pricing.Pricing;

/// The JSON of a node, its devices and its money as REST carries it.
public final class NodeJson {
  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

  private NodeJson() {}

  /// A node: `{"version", "account", "peer", "domain": {"chainId", "verifyingContract"}, "roles",
  /// "profiles", "devices", "models", "prices": {"minimum", KIND: {"perMillionIn",
  /// "perMillionOut"}}}`.
  public static ObjectNode write(NodeInfo info) {
    ObjectNode node =
        NODES
            .objectNode()
            .put("version", info.version())
            .put("account", info.account().hex())
            .put("peer", info.peer().toString());
    node.putObject("domain")
        .put("chainId", Long.toString(info.domain().chainId()))
        .put("verifyingContract", info.domain().verifyingContract().hex());
    var roles = node.putArray("roles");
    info.roles().stream().sorted().forEach(r -> roles.add(r.id()));
    var profiles = node.putArray("profiles");
    info.profiles().forEach(p -> profiles.add(p.id()));
    var devices = node.putArray("devices");
    info.devices().forEach(d -> devices.add(write(d)));
    var models = node.putArray("models");
    info.models().forEach(m -> models.add(m.hex()));
    ObjectNode prices = node.putObject("prices");
    prices.put("minimum", info.prices().minimum().toString());
    for (JobKind kind : JobKind.values()) {
      Pricing.Rate rate = info.prices().rates().get(kind);
      if (rate != null) {
        prices
            .putObject(kind.id())
            .put("perMillionIn", rate.perMillionIn().toString())
            .put("perMillionOut", rate.perMillionOut().toString());
      }
    }
    return node;
  }

  /// A device: `{"id", "name", "kind", "state", "reason"?, "memoryBytes", "memoryHeldBytes",
  /// "threads", "running", "queued", "restarts"}`; bytes are texts.
  public static ObjectNode write(DeviceView device) {
    ObjectNode node =
        NODES
            .objectNode()
            .put("id", device.id())
            .put("name", device.name())
            .put("kind", device.kind())
            .put("state", device.state().id());
    if (!device.reason().isEmpty()) {
      node.put("reason", device.reason());
    }
    node.put("memoryBytes", Long.toString(device.memoryBytes()))
        .put("memoryHeldBytes", Long.toString(device.memoryHeldBytes()))
        .put("threads", device.threads());
    var running = node.putArray("running");
    device.running().forEach(id -> running.add(id.hex()));
    return node.put("queued", device.queued()).put("restarts", device.restarts());
  }

  /// A wallet: every field of [WalletView] by its name; amounts are texts.
  public static ObjectNode write(WalletView wallet) {
    ObjectNode node =
        NODES
            .objectNode()
            .put("account", wallet.account().hex())
            .put("balanceWei", wallet.balanceWei().toString())
            .put("tokenSymbol", wallet.tokenSymbol())
            .put("tokenDecimals", wallet.tokenDecimals())
            .put("balance", wallet.balance().toString())
            .put("staked", wallet.staked().toString())
            .put("unbonding", wallet.unbonding().toString())
            .put("escrowed", wallet.escrowed().toString())
            .put("earned", wallet.earned().toString())
            .put("spent", wallet.spent().toString());
    var transactions = node.putArray("transactions");
    wallet.transactions().forEach(t -> transactions.add(JobJson.write(t)));
    return node;
  }

  /// A channel: `{"id", "role", "other", "state", "deposit", "redeemed", "promised", "held",
  /// "unpaid", "closesAt"?, "note"?}`.
  public static ObjectNode write(ChannelView channel) {
    ObjectNode node =
        NODES
            .objectNode()
            .put("id", channel.id().hex())
            .put("role", channel.role().id())
            .put("other", channel.other().hex())
            .put("state", channel.state())
            .put("deposit", channel.deposit().toString())
            .put("redeemed", channel.redeemed().toString())
            .put("promised", channel.promised().toString())
            .put("held", channel.held().toString())
            .put("unpaid", channel.unpaid().toString());
    channel.closesAt().ifPresent(at -> node.put("closesAt", at.toString()));
    if (!channel.note().isEmpty()) {
      node.put("note", channel.note());
    }
    return node;
  }

  /// How a node stands to its chain: `{"chainId", "contracts": {"escrow", "channels", "registry",
  /// "token", "receipts"?}, "head"?: {"number", "ageSeconds"}, "trouble"?, "endpoints": [{"name",
  /// "state", "requests", "failures", "answers", "answerMillis"?, "head"?, "blocksBehind"?,
  /// "trouble"?}], "socket"?: {"connected", "heads", "trouble"?}}`; counts and block numbers are
  /// texts.
  public static ObjectNode write(ChainView chain) {
    Contracts contracts = chain.contracts();
    ObjectNode node = NODES.objectNode().put("chainId", Long.toString(contracts.chainId()));
    ObjectNode addresses =
        node.putObject("contracts")
            .put("escrow", contracts.escrow().hex())
            .put("channels", contracts.channels().hex())
            .put("registry", contracts.registry().hex())
            .put("token", contracts.token().hex());
    contracts.receipts().ifPresent(log -> addresses.put("receipts", log.hex()));
    chain
        .head()
        .ifPresent(head ->
            node.putObject("head")
                .put("number", Long.toString(head.number()))
                .put("ageSeconds", chain.headAgeSeconds().orElse(0)));
    chain.trouble().ifPresent(trouble -> node.put("trouble", trouble));
    var endpoints = node.putArray("endpoints");
    chain.endpoints().forEach(endpoint -> endpoints.add(write(endpoint)));
    chain
        .socket()
        .ifPresent(socket -> {
          ObjectNode shown =
              node.putObject("socket")
                  .put("connected", socket.connected())
                  .put("heads", Long.toString(socket.heads()));
          if (!socket.trouble().isEmpty()) {
            shown.put("trouble", socket.trouble());
          }
        });
    return node;
  }

  private static ObjectNode write(EndpointHealth endpoint) {
    ObjectNode node =
        NODES
            .objectNode()
            .put("name", endpoint.name())
            .put("state", endpoint.state().id())
            .put("requests", Long.toString(endpoint.requests()))
            .put("failures", Long.toString(endpoint.failures()))
            .put("answers", Long.toString(endpoint.answers()));
    if (endpoint.answers() > 0) {
      node.put("answerMillis", endpoint.answering().toNanos() / 1e6 / endpoint.answers());
    }
    endpoint.head().ifPresent(head -> node.put("head", Long.toString(head)));
    endpoint.blocksBehind().ifPresent(behind -> node.put("blocksBehind", Long.toString(behind)));
    if (!endpoint.trouble().isEmpty()) {
      node.put("trouble", endpoint.trouble());
    }
    return node;
  }
}

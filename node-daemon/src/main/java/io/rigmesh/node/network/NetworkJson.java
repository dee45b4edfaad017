package io.rigmesh.node.network;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.protocol.Offer;
import java.time.Instant;
import java.util.List;
import java.util.Locale;

/// The JSON of peers, offers and the network as REST carries it.
public final class NetworkJson {
  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

  private NetworkJson() {}

  /// A connection: every field of [PeerView] by its name; `blame` is `{"count", "last"}`.
  public static ObjectNode write(PeerView peer) {
    ObjectNode node =
        NODES
            .objectNode()
            .put("peer", peer.peer().toString())
            .put("address", peer.address().toString())
            .put("direction", peer.direction().name().toLowerCase(Locale.ROOT))
            .put("agent", peer.agent())
            .put("security", peer.security())
            .put("muxer", peer.muxer())
            .put("relayed", peer.relayed())
            .put("streams", peer.streams())
            .put("openedAt", peer.openedAt().toString());
    peer.blame()
        .ifPresent(
            blame -> node.putObject("blame").put("count", blame.count()).put("last", blame.last()));
    return node;
  }

  /// An offer: `{"peer", "account", "addresses", "devices", "models", "priceMinimum", "region",
  /// "validUntil", "sequence"}`; a model without a root is any model; amounts and 64-bit numbers
  /// are texts.
  public static ObjectNode write(Offer offer) {
    ObjectNode node =
        NODES.objectNode().put("peer", offer.peer()).put("account", offer.account().hex());
    ArrayNode addresses = node.putArray("addresses");
    offer.addresses().forEach(addresses::add);
    ArrayNode devices = node.putArray("devices");
    for (Offer.Device device : offer.devices()) {
      devices
          .addObject()
          .put("name", device.name())
          .put("memoryBytes", Long.toUnsignedString(device.memoryBytes()))
          .put("profile", device.profile().id())
          .put("megaflopsPerSecond", Long.toUnsignedString(device.megaflopsPerSecond()))
          .put("megabytesPerSecond", Long.toUnsignedString(device.megabytesPerSecond()));
    }
    ArrayNode models = node.putArray("models");
    for (Offer.Model model : offer.models()) {
      ObjectNode entry = models.addObject();
      if (!model.root().isZero()) {
        entry.put("root", model.root().hex()).put("name", model.name());
      }
      entry
          .put("kind", model.kind().id())
          .put("priceIn", model.priceIn().toString())
          .put("priceOut", model.priceOut().toString());
    }
    return node.put("priceMinimum", offer.priceMinimum().toString())
        .put("region", offer.region())
        .put("validUntil", Instant.ofEpochSecond(offer.validUntilSeconds()).toString())
        .put("sequence", Long.toUnsignedString(offer.sequence()));
  }

  /// The network: every field of [NetworkView] by its name; `verdicts` are `{"address", "state",
  /// "successes", "failures", "at"}`.
  public static ObjectNode write(NetworkView view) {
    ObjectNode node = NODES.objectNode().put("peer", view.peer().toString());
    write(node.putArray("listening"), view.listening());
    write(node.putArray("announced"), view.announced());
    write(node.putArray("observed"), view.observed());
    node.put("peers", view.peers())
        .put("inbound", view.inbound())
        .put("outbound", view.outbound())
        .put("table", view.table())
        .put("reachability", view.reachability().name().toLowerCase(Locale.ROOT));
    ArrayNode verdicts = node.putArray("verdicts");
    view.verdicts()
        .forEach(verdict ->
            verdicts
                .addObject()
                .put("address", verdict.address().toString())
                .put("state", verdict.state().name().toLowerCase(Locale.ROOT))
                .put("successes", verdict.successes())
                .put("failures", verdict.failures())
                .put("at", verdict.at().toString()));
    ArrayNode troubles = node.putArray("troubles");
    view.troubles().forEach(troubles::add);
    return node;
  }

  private static void write(ArrayNode node, List<Multiaddr> addresses) {
    addresses.forEach(address -> node.add(address.toString()));
  }
}

package io.rigmesh.node.rest;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.linecorp.armeria.common.HttpMethod;
import com.linecorp.armeria.common.HttpResponse;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.node.Node;
import io.rigmesh.node.network.NetworkJson;
import io.rigmesh.protocol.Offer;
import java.util.List;

/// The peer-to-peer network as the node sees it: peers, offers, and whether it is reached.
final class NetworkRoutes {
  private final Node node;

  NetworkRoutes(Node node) {
    this.node = node;
  }

  List<Route> routes() {
    return List.of(
        Route.of(HttpMethod.GET, "/v1/peers", _ -> peers()),
        Route.of(HttpMethod.GET, "/v1/offers", _ -> offers()),
        Route.of(HttpMethod.GET, "/v1/network", _ -> Json.ok(NetworkJson.write(node.network()))),
        Route.of(HttpMethod.POST, "/v1/network/check", _ -> check()));
  }

  private HttpResponse check() {
    try {
      return Json.ok(NetworkJson.write(node.checkNetwork()));
    } catch (Libp2pException e) {
      throw ApiException.unavailable("network-unavailable", String.valueOf(e.getMessage()));
    }
  }

  private HttpResponse peers() {
    ObjectNode body = Json.object();
    ArrayNode list = body.putArray("peers");
    node.peers().forEach(peer -> list.add(NetworkJson.write(peer)));
    return Json.ok(body);
  }

  private HttpResponse offers() {
    ObjectNode body = Json.object();
    ArrayNode list = body.putArray("offers");
    for (Offer offer : node.offers()) {
      ObjectNode shown = NetworkJson.write(offer);
      node.stake(offer).ifPresent(stake -> shown.put("stake", stake.toString()));
      list.add(shown);
    }
    return Json.ok(body);
  }
}

package io.rigmesh.node.rest;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpMethod;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import io.rigmesh.ledger.channel.ChannelException;
import io.rigmesh.node.Node;
import io.rigmesh.node.NodeJson;
import io.rigmesh.node.Readiness;
import io.rigmesh.node.WalletView;
import io.rigmesh.node.metrics.NodeMetrics;
import io.rigmesh.protocol.Hash;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The node itself: who it is, its devices, its money, its health, its metrics, and the description
/// of this interface.
final class NodeRoutes {
  private static final Logger LOG = LoggerFactory.getLogger(NodeRoutes.class);
  private static final MediaType YAML = MediaType.create("application", "yaml");
  private static final MediaType METRICS =
      MediaType.parse("text/plain; version=0.0.4; charset=utf-8");

  private final Node node;
  private final NodeMetrics metrics;
  private final boolean loopback;

  NodeRoutes(Node node, NodeMetrics metrics, boolean loopback) {
    this.node = node;
    this.metrics = metrics;
    this.loopback = loopback;
  }

  List<Route> routes() {
    return List.of(
        Route.of(HttpMethod.GET, "/v1/node", _ -> Json.ok(NodeJson.write(node.info()))),
        Route.of(HttpMethod.GET, "/v1/devices", _ -> devices()),
        Route.of(HttpMethod.GET, "/v1/wallet", this::wallet),
        Route.of(HttpMethod.GET, "/v1/channels", _ -> channels()),
        Route.of(HttpMethod.DELETE, "/v1/channels/{id}", this::leave),
        Route.of(HttpMethod.GET, "/v1/chain", _ -> Json.ok(NodeJson.write(node.chain()))),
        Route.open("/health/live", _ -> Json.ok(Json.object().put("status", "live"))),
        Route.open("/health/ready", _ -> ready()),
        openOnLoopback("/metrics", _ -> metrics()),
        openOnLoopback("/openapi.json", _ -> document(MediaType.JSON, OpenApi.json())),
        openOnLoopback("/openapi.yaml", _ -> document(YAML, OpenApi.yaml())));
  }

  /// What says more than alive or not is for everyone on this machine only.
  private Route openOnLoopback(String path, Route.Handler handler) {
    return loopback ? Route.open(path, handler) : Route.of(HttpMethod.GET, path, handler);
  }

  private HttpResponse devices() {
    ObjectNode body = Json.object();
    ArrayNode list = body.putArray("devices");
    node.devices().forEach(device -> list.add(NodeJson.write(device)));
    return Json.ok(body);
  }

  private HttpResponse channels() {
    ObjectNode body = Json.object();
    ArrayNode list = body.putArray("channels");
    node.channels().forEach(channel -> list.add(NodeJson.write(channel)));
    return Json.ok(body);
  }

  private HttpResponse leave(Call call) {
    Hash channel = call.hash("id");
    try {
      return Json.response(
          HttpStatus.ACCEPTED,
          NodeJson.write(
              node.leaveChannel(channel)
                  .orElseThrow(() ->
                      ApiException.notFound(
                          "unknown-channel", "this node pays by no channel " + channel))));
    } catch (ChannelException e) {
      throw ApiException.conflict("in-use", String.valueOf(e.getMessage()));
    }
  }

  private HttpResponse wallet(Call call) {
    WalletView wallet;
    try {
      wallet = node.wallet();
    } catch (RuntimeException e) {
      LOG.warn("request {}: the wallet cannot be read: {}", call.requestId(), e.getMessage());
      throw ApiException.unavailable(
          "chain-unavailable", "the chain does not answer: " + e.getMessage());
    }
    return Json.ok(NodeJson.write(wallet));
  }

  private HttpResponse ready() {
    Readiness readiness = node.readiness();
    ObjectNode body = Json.object().put("status", readiness.ready() ? "ready" : "not-ready");
    ArrayNode reasons = body.putArray("reasons");
    readiness.reasons().forEach(reasons::add);
    return Json.response(readiness.ready() ? HttpStatus.OK : HttpStatus.SERVICE_UNAVAILABLE, body);
  }

  private HttpResponse metrics() {
    return HttpResponse.of(HttpStatus.OK, METRICS, HttpData.ofUtf8(metrics.scrape()));
  }

  private static HttpResponse document(MediaType type, byte[] bytes) {
    return HttpResponse.of(HttpStatus.OK, type, HttpData.wrap(bytes));
  }
}

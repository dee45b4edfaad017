package io.rigmesh.node.rest;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.linecorp.armeria.common.HttpMethod;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import io.rigmesh.ledger.ChainUnavailableException;
import io.rigmesh.ledger.channel.ChannelException;
import io.rigmesh.ledger.channel.Handover;
import io.rigmesh.ledger.channel.WatchedChannel;
import io.rigmesh.node.Node;
import io.rigmesh.node.WatchJson;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.ProtocolJson;
import java.util.List;
import java.util.Optional;

/// Channels of others that this node guards, and the vouchers of its own for others to guard.
final class WatchRoutes {
  private static final int BODY_BYTES_MAX = 16_384;

  private final Node node;

  WatchRoutes(Node node) {
    this.node = node;
  }

  List<Route> routes() {
    return List.of(
        Route.of(HttpMethod.GET, "/v1/channels/{id}/voucher", this::voucher),
        Route.of(HttpMethod.GET, "/v1/watched", _ -> list()),
        Route.withBody(HttpMethod.POST, "/v1/watched", BODY_BYTES_MAX, this::add),
        Route.of(HttpMethod.DELETE, "/v1/watched/{id}", this::remove));
  }

  private HttpResponse voucher(Call call) {
    Hash channel = call.hash("id");
    return Json.ok(
        WatchJson.write(
            node.watch()
                .handover(channel)
                .orElseThrow(() ->
                    ApiException.notFound(
                        "unknown-channel",
                        "this node has no voucher of a channel "
                            + channel
                            + " by which it is paid"))));
  }

  private HttpResponse list() {
    ObjectNode body = Json.object().put("channelsMax", node.watch().channelsMax());
    ArrayNode list = body.putArray("channels");
    node.watch().channels().forEach(channel -> list.add(WatchJson.write(channel)));
    return Json.ok(body);
  }

  private HttpResponse add(Call call) {
    Handover handover = WatchJson.read(ProtocolJson.parse(call.jsonBody(), "the body"));
    try {
      node.watch().add(handover);
    } catch (ChainUnavailableException e) {
      // Whether a contract signed it, only the chain knows.
      throw ApiException.unavailable("chain-unavailable", String.valueOf(e.getMessage()));
    } catch (ChannelException e) {
      throw new ApiException(
          HttpStatus.UNPROCESSABLE_ENTITY,
          ApiException.Type.INVALID_REQUEST,
          "not-watched",
          Optional.empty(),
          String.valueOf(e.getMessage()));
    }
    return Json.ok(WatchJson.write(watched(handover.terms().id())));
  }

  private WatchedChannel watched(Hash channel) {
    return node.watch().channels().stream()
        .filter(watched -> watched.channel().terms().id().equals(channel))
        .findFirst()
        .orElseThrow(() -> unknown(channel));
  }

  private HttpResponse remove(Call call) {
    Hash channel = call.hash("id");
    try {
      if (!node.watch().remove(channel)) {
        throw unknown(channel);
      }
    } catch (ChannelException e) {
      throw ApiException.conflict("under-way", String.valueOf(e.getMessage()));
    }
    return Json.ok(Json.object().put("id", channel.hex()));
  }

  private static ApiException unknown(Hash channel) {
    return ApiException.notFound("unknown-channel", "this node guards no channel " + channel);
  }
}

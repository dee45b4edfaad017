package io.rigmesh.node.rest;

import com.linecorp.armeria.common.HttpMethod;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import io.rigmesh.ledger.TransactionPendingException;
import io.rigmesh.node.Node;
import io.rigmesh.node.jobs.JsonFields;
import io.rigmesh.node.receipts.AnchorException;
import io.rigmesh.node.receipts.AnchorsJson;
import io.rigmesh.node.wallet.WalletJson;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.ProtocolJson;
import java.util.List;
import java.util.function.Supplier;

/// Receipts under roots that the account writes into the chain.
final class ReceiptRoutes {
  private static final int BODY_BYTES_MAX = 4_096;

  private final Node node;

  ReceiptRoutes(Node node) {
    this.node = node;
  }

  List<Route> routes() {
    return List.of(
        Route.of(HttpMethod.GET, "/v1/jobs/{id}/receipt/proof", this::prove),
        Route.of(HttpMethod.GET, "/v1/receipts", _ -> list()),
        Route.withBody(HttpMethod.POST, "/v1/receipts/anchor", BODY_BYTES_MAX, this::anchor));
  }

  private HttpResponse list() {
    return Json.ok(AnchorsJson.write(asked(() -> node.anchors().list())));
  }

  private HttpResponse anchor(Call call) {
    JsonFields body = new JsonFields(ProtocolJson.parse(call.jsonBody(), "the body"), "the body");
    String id = body.text("id", WalletRoutes::id);
    body.end();
    try {
      return Json.ok(AnchorsJson.write(id, asked(() -> node.anchors().anchor(id))));
    } catch (TransactionPendingException e) {
      return Json.response(
          HttpStatus.ACCEPTED, WalletJson.pending(id, String.valueOf(e.getMessage())));
    }
  }

  private HttpResponse prove(Call call) {
    Hash job = call.hash("id");
    return Json.ok(AnchorsJson.write(asked(() -> node.anchors().prove(job))));
  }

  private static <T> T asked(Supplier<T> question) {
    try {
      return ChainErrors.asked(question);
    } catch (AnchorException e) {
      String code = e.reason().id();
      String message = String.valueOf(e.getMessage());
      throw switch (e.reason()) {
        case UNKNOWN_JOB, NO_RECEIPT, NOT_ANCHORED -> ApiException.notFound(code, message);
        case NO_LOG, NOTHING -> ApiException.conflict(code, message);
        case FALSE -> ApiException.malformed(message);
      };
    }
  }
}

package io.rigmesh.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rigmesh.node.client.DaemonClient;
import io.rigmesh.node.config.NodeConfig;
import io.rigmesh.node.receipts.Anchors;
import io.rigmesh.node.receipts.AnchorsJson;
import io.rigmesh.node.receipts.OwnAnchors;
import io.rigmesh.protocol.Hash;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;

/// A node's receipts as a command sees them: a running daemon's, over its interface, or those of a
/// folder on which none runs. Both answer in the same JSON.
sealed interface ReceiptsAccess {
  /// Through the daemon where one runs, so that one process has the account's nonces.
  static ReceiptsAccess open(NodeConfig config) {
    Optional<DaemonClient> daemon = WalletOptions.daemon(config);
    return daemon.isPresent() ? new OfDaemon(daemon.get()) : new Own(new OwnAnchors(config));
  }

  /// Who does it, for the person.
  String doneBy();

  /// What was anchored and what waits, as `/v1/receipts` answers it.
  JsonNode list();

  /// Anchors what waits, until it is confirmed, as `/v1/receipts/anchor` answers it.
  JsonNode anchor();

  /// The proof of a job's receipt.
  JsonNode prove(Hash job);

  /// Opened by this command.
  ///
  /// @param anchors the node's receipts
  record Own(Anchors anchors) implements ReceiptsAccess {
    @Override
    public String doneBy() {
      return "by this command itself, without a daemon";
    }

    @Override
    public JsonNode list() {
      return AnchorsJson.write(anchors.list());
    }

    @Override
    public JsonNode anchor() {
      String id = UUID.randomUUID().toString();
      return AnchorsJson.write(id, anchors.anchor(id));
    }

    @Override
    public JsonNode prove(Hash job) {
      return AnchorsJson.write(anchors.prove(job));
    }
  }

  /// A running daemon's.
  ///
  /// @param client reaches it
  record OfDaemon(DaemonClient client) implements ReceiptsAccess {
    private static final Duration SEND_MAX = Duration.ofMinutes(3);

    @Override
    public String doneBy() {
      return "through the running daemon";
    }

    @Override
    public JsonNode list() {
      return client.get("/v1/receipts");
    }

    /// The same under the same id until it is confirmed: it is done once.
    @Override
    public JsonNode anchor() {
      ObjectNode body =
          JsonNodeFactory.instance.objectNode().put("id", UUID.randomUUID().toString());
      long end = System.nanoTime() + SEND_MAX.toNanos();
      while (true) {
        JsonNode answer = client.post("/v1/receipts/anchor", body);
        if (answer.path("status").asText().equals("confirmed")) {
          return answer;
        }
        if (System.nanoTime() - end > 0) {
          throw CliException.retry(answer.path("note").asText());
        }
      }
    }

    @Override
    public JsonNode prove(Hash job) {
      return client.get("/v1/jobs/" + job.hex() + "/receipt/proof");
    }
  }
}

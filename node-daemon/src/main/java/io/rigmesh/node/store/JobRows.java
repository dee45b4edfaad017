package io.rigmesh.node.store;

import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.node.jobs.JobJson;
import io.rigmesh.node.jobs.JobProgress;
import io.rigmesh.node.jobs.JobRole;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Meter;
import io.rigmesh.protocol.ProtocolJson;
import io.rigmesh.protocol.TokenAmount;
import java.nio.charset.StandardCharsets;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/// Reads rows of the table of jobs.
final class JobRows {
  static final String SELECT =
      "SELECT job.*, receipt.hash, receipt.price, receipt.tokens_in, receipt.tokens_out,"
          + " receipt.steps, receipt.output, receipt.output_model"
          + " FROM job LEFT JOIN receipt ON receipt.job_id = job.id";

  private JobRows() {}

  static JobRow read(ResultSet row) throws SQLException {
    return new JobRow(
        Hash.fromHex(row.getString("id")),
        JobRole.of(row.getString("role")),
        ProtocolJson.readSignedJob(row.getString("signed_json").getBytes(StandardCharsets.UTF_8)),
        JobJson.readState(
            row.getString("state"), row.getString("state_code"), row.getString("state_message")),
        Closing.of(row.getString("closing")),
        row.getBoolean("cancel_asked"),
        Optional.ofNullable(row.getString("provider")).map(Address::fromHex),
        Optional.ofNullable(row.getString("provider_peer")).map(PeerId::of),
        Optional.ofNullable(row.getString("wanted_peer")).map(PeerId::of),
        progress(row),
        number(row, "started_at_seconds"),
        row.getInt("crashes"),
        row.getLong("remote_sequence"),
        completion(row),
        Optional.ofNullable(row.getString("channel")).map(ChannelText::read),
        TokenAmount.parse(row.getString("paid")),
        Instant.ofEpochMilli(row.getLong("created_at_ms")),
        Instant.ofEpochMilli(row.getLong("updated_at_ms")));
  }

  private static Optional<JobProgress> progress(ResultSet row) throws SQLException {
    OptionalLong step = number(row, "progress_step");
    if (step.isEmpty()) {
      return Optional.empty();
    }
    double loss = row.getDouble("progress_loss");
    OptionalDouble known = row.wasNull() ? OptionalDouble.empty() : OptionalDouble.of(loss);
    return Optional.of(
        new JobProgress(
            step.getAsLong(),
            row.getLong("progress_total"),
            known,
            row.getDouble("tokens_per_second")));
  }

  private static Optional<JobRow.Completion> completion(ResultSet row) throws SQLException {
    String hash = row.getString("hash");
    if (hash == null) {
      return Optional.empty();
    }
    return Optional.of(
        new JobRow.Completion(
            Hash.fromHex(hash),
            TokenAmount.parse(row.getString("price")),
            new Meter(row.getLong("tokens_in"), row.getLong("tokens_out"), row.getLong("steps")),
            Hash.fromHex(row.getString("output")),
            Optional.ofNullable(row.getString("output_model")).map(Hash::fromHex)));
  }

  private static OptionalLong number(ResultSet row, String column) throws SQLException {
    long value = row.getLong(column);
    return row.wasNull() ? OptionalLong.empty() : OptionalLong.of(value);
  }
}

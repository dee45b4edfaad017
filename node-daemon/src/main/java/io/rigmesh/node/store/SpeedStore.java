package io.rigmesh.node.store;

import io.rigmesh.protocol.JobKind;
import io.rigmesh.scheduler.estimate.Speeds;
import org.jdbi.v3.core.Jdbi;

/// Measured speeds on disk, so that a restarted node still knows what it can promise.
public final class SpeedStore {
  private final Jdbi jdbi;

  /// The speeds of a database.
  public SpeedStore(Database database) {
    this.jdbi = database.jdbi();
  }

  /// Reads all.
  public Speeds load() {
    Speeds speeds = new Speeds();
    jdbi.useHandle(handle ->
        handle
            .createQuery("SELECT * FROM speed")
            .map((row, _) -> {
              speeds.restore(
                  new Speeds.Key(row.getString("device"), JobKind.of(row.getString("kind"))),
                  row.getDouble("operations_per_second"));
              return true;
            })
            .list());
    return speeds;
  }

  /// Writes all.
  public void save(Speeds speeds) {
    jdbi.useTransaction(handle ->
        speeds
            .all()
            .forEach((key, speed) ->
                handle.execute(
                    "INSERT INTO speed VALUES (?, ?, ?) ON CONFLICT DO UPDATE"
                        + " SET operations_per_second = excluded.operations_per_second",
                    key.device(),
                    key.kind().id(),
                    speed)));
  }
}

package io.rigmesh.ledger;

import java.nio.file.Path;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteDataSource;

/// The tables of this module. The daemon keeps them in its own database file by giving [#LOCATION]
/// to its Flyway beside its own location; versions from 100 to 199 belong to this module. That
/// Flyway needs `outOfOrder`, since the versions below 100 go on growing after these were applied.
public final class LedgerSchema {
  /// Where Flyway finds the migrations.
  public static final String LOCATION = "classpath:io/rigmesh/ledger/db";

  private static final int BUSY_TIMEOUT_MS = 10_000;

  private LedgerSchema() {}

  /// A database file set up as intents need it: what was committed is on the disk (WAL,
  /// `synchronous=FULL`), and a writing transaction takes its lock at the beginning. Creates the
  /// file if there is none, and migrates nothing.
  public static DataSource open(Path file) {
    SQLiteConfig config = new SQLiteConfig();
    config.setJournalMode(SQLiteConfig.JournalMode.WAL);
    config.setSynchronous(SQLiteConfig.SynchronousMode.FULL);
    config.setTransactionMode(SQLiteConfig.TransactionMode.IMMEDIATE);
    config.enforceForeignKeys(true);
    config.setBusyTimeout(BUSY_TIMEOUT_MS);
    SQLiteDataSource source = new SQLiteDataSource(config);
    source.setUrl("jdbc:sqlite:" + file);
    return source;
  }

  /// Brings this module's tables up to date, for a database that holds nothing else.
  public static void migrate(DataSource source) {
    Flyway.configure()
        .dataSource(source)
        .locations(LOCATION)
        .failOnMissingLocations(true)
        .outOfOrder(true)
        .load()
        .migrate();
  }
}

package io.rigmesh.node.store;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.jdbi.v3.core.Jdbi;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteDataSource;

/// The node's SQLite file: write-ahead log, every commit on the disk before it returns, a writer
/// takes its lock at the beginning of its transaction. Safe for use by several threads.
public final class Database implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Database.class);
  private static final String NODE_TABLES = "classpath:io/rigmesh/node/db";
  private static final int BUSY_TIMEOUT_MILLIS = 10_000;

  private final Jdbi jdbi;
  private final Connection anchor;

  private Database(Jdbi jdbi, Connection anchor) {
    this.jdbi = jdbi;
    this.anchor = anchor;
  }

  /// Opens the file, makes it if there is none, and brings its tables up to date.
  ///
  /// @param moreTables where other modules keep the migrations of their tables
  /// @throws StoreException if it cannot be opened, or was written by a newer version
  public static Database open(Path file, String... moreTables) {
    DataSource source = source(file);
    try {
      // Without a connection that stays, every commit would end with the log's being merged and
      // deleted, since SQLite does that whenever the last connection closes.
      Connection anchor = source.getConnection();
      String[] locations = new String[moreTables.length + 1];
      locations[0] = NODE_TABLES;
      System.arraycopy(moreTables, 0, locations, 1, moreTables.length);
      Flyway.configure()
          .dataSource(source)
          .locations(locations)
          .failOnMissingLocations(true)
          // Each module numbers its own tables, so a lower number may come later.
          .outOfOrder(true)
          .load()
          .migrate();
      return new Database(Jdbi.create(source), anchor);
    } catch (SQLException e) {
      throw new StoreException(
          "The database " + file + " cannot be opened: " + e.getMessage() + ".", e);
    } catch (FlywayException e) {
      throw new StoreException(
          "The tables of "
              + file
              + " cannot be brought up to date; was it written by a newer version? "
              + e.getMessage(),
          e);
    }
  }

  /// The way to its tables.
  public Jdbi jdbi() {
    return jdbi;
  }

  @Override
  public void close() {
    try {
      anchor.close();
    } catch (SQLException e) {
      // Everything that was committed is on disk already; the log is merged at the next start.
      LOG.warn("the database did not close cleanly: {}", e.getMessage());
    }
  }

  private static DataSource source(Path file) {
    SQLiteConfig config = new SQLiteConfig();
    config.setJournalMode(SQLiteConfig.JournalMode.WAL);
    config.setSynchronous(SQLiteConfig.SynchronousMode.FULL);
    config.setTransactionMode(SQLiteConfig.TransactionMode.IMMEDIATE);
    config.enforceForeignKeys(true);
    config.setBusyTimeout(BUSY_TIMEOUT_MILLIS);
    SQLiteDataSource source = new SQLiteDataSource(config);
    source.setUrl("jdbc:sqlite:" + file);
    return source;
  }
}

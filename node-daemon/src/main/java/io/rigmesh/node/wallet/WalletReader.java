package io.rigmesh.node.wallet;

import io.rigmesh.ledger.LedgerException;
import io.rigmesh.ledger.LedgerSchema;
import io.rigmesh.ledger.chain.ChainRpc;
import io.rigmesh.ledger.chain.Place;
import io.rigmesh.ledger.channel.KeptVouchers;
import io.rigmesh.ledger.follow.FollowSettings;
import io.rigmesh.ledger.follow.LedgerFollower;
import io.rigmesh.ledger.wallet.WalletBook;
import io.rigmesh.ledger.wallet.WalletContracts;
import io.rigmesh.ledger.wallet.WalletEntry;
import io.rigmesh.ledger.wallet.WalletLocks;
import io.rigmesh.node.chain.Contracts;
import io.rigmesh.node.config.NodeConfig;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;
import javax.sql.DataSource;
import org.jdbi.v3.core.Jdbi;
import org.jspecify.annotations.Nullable;

/// Reads an account's movements from the chain into a file of its own below the node's folder, when
/// it is asked for them. The file is locked against other processes while it is open.
final class WalletReader implements AutoCloseable {
  private static final int BLOCKS_PER_QUERY = 1_000;
  private static final Duration POLL = Duration.ofMillis(250);
  private static final String FOLLOWER = "wallet";

  private final Contracts contracts;
  private final Address account;
  private final int confirmations;
  private final ChainRpc rpc;
  private final WalletContracts money;
  private final FileChannel channel;
  private final FileLock lock;
  private final Jdbi jdbi;
  private WalletBook.@Nullable Parties parties;

  /// Opens the account's file, and makes it if there is none.
  ///
  /// @throws LedgerException if another process has it open
  WalletReader(NodeConfig config, Contracts contracts, Address account, ChainRpc rpc) {
    this.contracts = contracts;
    this.account = account;
    this.confirmations = Math.max(1, config.chain().confirmations());
    this.rpc = rpc;
    this.money = new WalletContracts(rpc, contracts.token(), contracts.channels());
    String name = "wallet-" + account.hex().toLowerCase(Locale.ROOT);
    Path lockFile = config.home().resolve(name + ".lock");
    try {
      if (!Files.isDirectory(config.home())) {
        Files.createDirectories(
            config.home(),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      }
      channel = FileChannel.open(lockFile, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      lock = locked(channel, lockFile);
    } catch (IOException e) {
      throw new LedgerException(lockFile + " cannot be opened: " + e.getMessage(), e);
    }
    DataSource source = LedgerSchema.open(config.home().resolve(name + ".db"));
    LedgerSchema.migrate(source);
    this.jdbi = Jdbi.create(source);
  }

  private static FileLock locked(FileChannel channel, Path file) throws IOException {
    FileLock taken;
    try {
      taken = channel.tryLock();
    } catch (OverlappingFileLockException _) {
      taken = null;
    }
    if (taken == null) {
      channel.close();
      throw new LedgerException(
          "The daemon or another command has this wallet open ("
              + file
              + "); try again when it is done.");
    }
    return taken;
  }

  WalletContracts money() {
    return money;
  }

  /// Where transactions of an account whose key is elsewhere are kept.
  Jdbi jdbi() {
    return jdbi;
  }

  /// A page of the history up to now.
  synchronized Purse.History history(Optional<Purse.Point> before, int limit, Duration readMax) {
    WalletBook book = new WalletBook(jdbi, parties());
    long readTo = readOn(book, readMax);
    List<WalletEntry> more =
        book.history(before.map(WalletReader::place), limit + 1, money.balance(account, readTo));
    List<WalletEntry> page = more.subList(0, Math.min(limit, more.size()));
    Optional<Purse.Point> next =
        more.size() > limit
            ? Optional.of(page.getLast().place())
                .map(last -> new Purse.Point(last.blockNumber(), last.logIndex()))
            : Optional.empty();
    return new Purse.History(account, page, next);
  }

  /// What is locked now.
  synchronized Purse.Locked locked(Supplier<KeptVouchers> vouchers, Duration readMax) {
    WalletBook book = new WalletBook(jdbi, parties());
    readOn(book, readMax);
    return new Purse.Locked(
        account,
        money.channelBalance(account),
        new WalletLocks(rpc, parties(), book).items(vouchers.get()));
  }

  private static Place place(Purse.Point point) {
    return new Place(point.block(), Hash.ZERO, Hash.ZERO, point.index(), Instant.EPOCH);
  }

  private WalletBook.Parties parties() {
    WalletBook.Parties known = parties;
    if (known == null) {
      known =
          new WalletBook.Parties(
              contracts.chainId(),
              account,
              contracts.token(),
              contracts.escrow(),
              contracts.registry(),
              contracts.channels(),
              money.feeBasisPoints());
      parties = known;
    }
    return known;
  }

  /// Reads what happened since the last time, and says up to which block.
  private long readOn(WalletBook book, Duration readMax) {
    long safe = Math.max(contracts.fromBlock(), rpc.head().number() - confirmations + 1);
    LedgerFollower follower =
        LedgerFollower.start(
            rpc,
            jdbi,
            FOLLOWER,
            book.followed(),
            new FollowSettings(contracts.fromBlock(), confirmations, BLOCKS_PER_QUERY, POLL));
    try (follower) {
      follower.awaitBlock(safe, readMax);
    }
    // It may have come further meanwhile, and the balances belong to the last block.
    return follower.readTo();
  }

  @Override
  public void close() {
    try {
      lock.release();
      channel.close();
    } catch (IOException e) {
      throw new LedgerException("The wallet's lock was not given back: " + e.getMessage(), e);
    }
  }
}

package io.rigmesh.node.wallet;

import io.rigmesh.ledger.chain.Inclusion;
import io.rigmesh.ledger.channel.KeptVouchers;
import io.rigmesh.ledger.wallet.WalletContracts;
import io.rigmesh.node.chain.ChainAccess;
import io.rigmesh.node.chain.ChainLink;
import io.rigmesh.node.chain.Contracts;
import io.rigmesh.node.config.NodeConfig;
import io.rigmesh.node.store.Database;
import io.rigmesh.protocol.Address;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The wallet of a running daemon's account: reads when it is asked, and sends through the daemon's
/// sender, which alone gives out the account's nonces.
public final class NodeWallet implements Purse, AutoCloseable {
  /// Below the time that a request may take.
  private static final Duration WAIT_MAX = Duration.ofSeconds(20);

  private final NodeConfig config;
  private final ChainLink chain;
  private final Address account;
  private final Database database;
  private @Nullable WalletReader reader;

  /// The wallet of a node's account. Nothing is opened before it is used.
  public NodeWallet(NodeConfig config, ChainLink chain, Address account, Database database) {
    this.config = config;
    this.chain = chain;
    this.account = account;
    this.database = database;
  }

  @Override
  public History history(Optional<Point> before, int limit) {
    return reader().history(before, limit, WAIT_MAX);
  }

  @Override
  public Locked locked() {
    return reader()
        .locked(
            () -> KeptVouchers.of(database.jdbi(), chain.contracts().channelDomain(), account),
            WAIT_MAX);
  }

  @Override
  public Inclusion move(String id, WalletMove move) {
    ChainAccess access = chain.require();
    Contracts contracts = chain.contracts();
    return new WalletMoves(
            access.sender(),
            new WalletContracts(access.rpc(), contracts.token(), contracts.channels()),
            WAIT_MAX.dividedBy(2))
        .move(id, move);
  }

  private synchronized WalletReader reader() {
    ChainAccess access = chain.require();
    WalletReader open = reader;
    if (open == null) {
      open = new WalletReader(config, chain.contracts(), account, access.rpc());
      reader = open;
    }
    return open;
  }

  @Override
  public synchronized void close() {
    WalletReader open = reader;
    if (open != null) {
      open.close();
      reader = null;
    }
  }
}

package io.rigmesh.libp2p.resource;

import io.rigmesh.libp2p.ProtocolId;
import io.rigmesh.libp2p.identity.PeerId;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A stream in the ledger.
final class LimitedStream extends Holder implements StreamScope {
  private final LimitedConnection connection;
  private @Nullable ProtocolId protocol;

  LimitedStream(LimitedConnection connection, Account account, Usage held) {
    super(connection.ledger(), account, held);
    this.connection = connection;
  }

  @Override
  List<Account> accounts() {
    PeerId peer = connection.peer();
    List<Account> all = new ArrayList<>(List.of(account(), connection.account()));
    if (protocol != null) {
      if (peer != null) {
        all.add(ledger().protocolPeer(protocol, peer));
      }
      all.add(ledger().protocol(protocol));
    }
    if (peer != null) {
      all.add(ledger().peer(peer));
    }
    if (peer == null || protocol == null) {
      all.add(ledger().transients());
    }
    all.add(ledger().system());
    return all;
  }

  @Override
  public void setProtocol(ProtocolId agreed) {
    ledger().lock().lock();
    try {
      requireOpen();
      if (agreed.equals(protocol)) {
        return;
      }
      if (protocol != null) {
        throw new IllegalStateException("The stream speaks " + protocol + ", not " + agreed);
      }
      Map<Account, Usage> less = new LinkedHashMap<>();
      accounts().forEach(account -> less.put(account, held()));
      protocol = agreed;
      Map<Account, Usage> more = new LinkedHashMap<>();
      for (Account account : accounts()) {
        if (less.remove(account) == null) {
          more.put(account, held());
        }
      }
      try {
        ledger().move(more, less);
      } catch (ResourceLimitException e) {
        protocol = null;
        throw e;
      }
    } finally {
      ledger().lock().unlock();
    }
  }

  @Override
  public void close() {
    ledger().lock().lock();
    try {
      end();
      connection.closed(this);
    } finally {
      ledger().lock().unlock();
    }
  }
}

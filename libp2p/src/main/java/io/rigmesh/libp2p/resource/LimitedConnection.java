package io.rigmesh.libp2p.resource;

import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.identity.PeerId;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// A connection in the ledger.
final class LimitedConnection extends Holder implements ConnectionScope {
  private final AddressBook.@Nullable Source source;
  private final Set<LimitedStream> streams = new LinkedHashSet<>();
  private @Nullable PeerId peer;

  LimitedConnection(
      LimitedResources ledger, Account account, AddressBook.@Nullable Source source, Usage held) {
    super(ledger, account, held);
    this.source = source;
  }

  @Override
  List<Account> accounts() {
    PeerId known = peer;
    return List.of(
        account(), known == null ? ledger().transients() : ledger().peer(known), ledger().system());
  }

  @Nullable PeerId peer() {
    return peer;
  }

  @Override
  public void setPeer(PeerId identified) {
    ledger().lock().lock();
    try {
      requireOpen();
      PeerId known = peer;
      if (known != null && !known.equals(identified)) {
        throw new IllegalStateException(
            "The connection belongs to " + known + " already, not to " + identified);
      }
      if (known != null) {
        return;
      }
      Map<Account, Usage> before = entries();
      peer = identified;
      try {
        moveFrom(before);
      } catch (ResourceLimitException e) {
        peer = null;
        throw e;
      }
    } finally {
      ledger().lock().unlock();
    }
  }

  @Override
  public StreamScope openStream(Direction direction) {
    ledger().lock().lock();
    try {
      requireOpen();
      LimitedStream stream =
          new LimitedStream(this, ledger().stream(this), Usage.stream(direction));
      ledger().charge(stream.accounts(), stream.held());
      streams.add(stream);
      return stream;
    } finally {
      ledger().lock().unlock();
    }
  }

  void closed(LimitedStream stream) {
    streams.remove(stream);
  }

  @Override
  public void close() {
    ledger().lock().lock();
    try {
      if (isClosed()) {
        return;
      }
      streams.forEach(LimitedStream::end);
      streams.clear();
      end();
      if (source != null) {
        ledger().released(source);
      }
    } finally {
      ledger().lock().unlock();
    }
  }

  /// What this connection and its streams are entered with in each account.
  private Map<Account, Usage> entries() {
    Map<Account, Usage> all = new LinkedHashMap<>();
    accounts().forEach(account -> all.merge(account, held(), Usage::plus));
    for (LimitedStream stream : streams) {
      stream.accounts().forEach(account -> all.merge(account, stream.held(), Usage::plus));
    }
    return all;
  }

  private void moveFrom(Map<Account, Usage> before) {
    Map<Account, Usage> more = new LinkedHashMap<>();
    Map<Account, Usage> less = new LinkedHashMap<>(before);
    entries()
        .forEach((account, usage) -> {
          Usage had = less.remove(account);
          if (had == null) {
            more.put(account, usage);
          } else if (!had.equals(usage)) {
            // Only the transient account shrinks in part: its streams stay without a protocol.
            less.put(account, had.minus(usage));
          }
        });
    ledger().move(more, less);
  }
}

package io.rigmesh.libp2p.resource;

import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.ProtocolId;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// The ledger: every connection and stream is entered in the accounts of all scopes it belongs to,
/// or in none. One lock guards all of it; nothing is done under it but counting.
final class LimitedResources implements ResourceManager {
  /// A protocol with one peer.
  private record ProtocolPeer(ProtocolId protocol, PeerId peer) {}

  private final ReentrantLock lock = new ReentrantLock();
  private final ResourceLimits limits;
  private final InstantSource clock;
  private final Account system;
  private final Account transients;
  private final Map<PeerId, Account> peers = new HashMap<>();
  private final Map<ProtocolId, Account> protocols = new HashMap<>();
  private final Map<ProtocolPeer, Account> protocolPeers = new HashMap<>();
  private final AddressBook addresses;

  LimitedResources(ResourceLimits limits, InstantSource clock) {
    this.limits = limits;
    this.clock = clock;
    this.system = new Account("system", limits.system());
    this.transients = new Account("transient", limits.transients());
    this.addresses = new AddressBook(limits.address());
  }

  @Override
  public ConnectionScope openConnection(Direction direction, Multiaddr remoteAddress) {
    AddressBook.@Nullable Source source = addresses.source(direction, remoteAddress);
    lock.lock();
    try {
      Instant now = clock.instant();
      String refusal = source == null ? null : addresses.refusal(source, now);
      if (refusal != null) {
        throw new ResourceLimitException(refusal);
      }
      LimitedConnection connection =
          new LimitedConnection(
              this,
              new Account("connection " + remoteAddress, limits.connection()),
              source,
              Usage.connection(direction));
      charge(connection.accounts(), connection.held());
      if (source != null) {
        addresses.add(source, now);
      }
      return connection;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public ResourceUsage usage() {
    lock.lock();
    try {
      Usage all = system.held();
      return new ResourceUsage(
          all.connectionsInbound(),
          all.connectionsOutbound(),
          transients.held().connections(),
          all.streamsInbound(),
          all.streamsOutbound(),
          all.memoryBytes());
    } finally {
      lock.unlock();
    }
  }

  /// What every scope that outlives a connection holds, by name; scopes that hold nothing are not
  /// there.
  Map<String, Usage> snapshot() {
    lock.lock();
    try {
      Map<String, Usage> all = new TreeMap<>();
      peers.values().forEach(account -> all.put(account.name(), account.held()));
      protocols.values().forEach(account -> all.put(account.name(), account.held()));
      protocolPeers.values().forEach(account -> all.put(account.name(), account.held()));
      all.put(system.name(), system.held());
      all.put(transients.name(), transients.held());
      all.values().removeIf(Usage.NOTHING::equals);
      return all;
    } finally {
      lock.unlock();
    }
  }

  /// Connections that are counted under an address or relay.
  int addressedConnections() {
    lock.lock();
    try {
      return addresses.connections();
    } finally {
      lock.unlock();
    }
  }

  ReentrantLock lock() {
    return lock;
  }

  Account system() {
    return system;
  }

  Account transients() {
    return transients;
  }

  Account peer(PeerId peer) {
    return peers.computeIfAbsent(
        peer, key -> new Account("peer " + key, limits.peer(), () -> peers.remove(key)));
  }

  Account protocol(ProtocolId protocol) {
    return protocols.computeIfAbsent(
        protocol,
        key ->
            new Account(
                "protocol " + key,
                limits.protocols().getOrDefault(key, limits.protocol()),
                () -> protocols.remove(key)));
  }

  Account protocolPeer(ProtocolId protocol, PeerId peer) {
    return protocolPeers.computeIfAbsent(
        new ProtocolPeer(protocol, peer),
        key ->
            new Account(
                "protocol " + key.protocol() + " with peer " + key.peer(),
                limits.protocolPeer(),
                () -> protocolPeers.remove(key)));
  }

  Account stream(LimitedConnection connection) {
    return new Account("stream of " + connection.account().name(), limits.stream());
  }

  /// Enters an amount in every account or, when one refuses, in none. The lock is held.
  void charge(List<Account> accounts, Usage more) {
    Map<Account, Usage> all = new LinkedHashMap<>();
    accounts.forEach(account -> all.put(account, more));
    move(all, Map.of());
  }

  /// Takes an amount out of every account. The lock is held.
  void release(List<Account> accounts, Usage less) {
    for (Account account : accounts) {
      account.subtract(less);
      account.forgetIfEmpty();
    }
  }

  /// Enters amounts and takes others out or, when an account refuses, does neither. No account is
  /// in both. The lock is held.
  void move(Map<Account, Usage> more, Map<Account, Usage> less) {
    for (Map.Entry<Account, Usage> entry : more.entrySet()) {
      String refusal = entry.getKey().refusal(entry.getValue());
      if (refusal != null) {
        more.keySet().forEach(Account::forgetIfEmpty);
        throw new ResourceLimitException(refusal);
      }
    }
    more.forEach(Account::add);
    less.forEach((account, usage) -> {
      account.subtract(usage);
      account.forgetIfEmpty();
    });
  }

  void released(AddressBook.Source source) {
    addresses.subtract(source, clock.instant());
  }
}

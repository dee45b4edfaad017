package io.rigmesh.libp2p.identify;

import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.identity.PeerRecord;
import io.rigmesh.libp2p.identity.PrivateKey;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// This host's signed peer records: one for each set of addresses that it tells some peers. The
/// sequence number follows the clock, so that it grows over restarts. Thread-safe.
final class OwnRecords {
  /// There are as many sets as scopes of remotes; older ones are made again if ever needed.
  private static final int RECORDS_MAX = 4;

  private final PrivateKey key;
  private final InstantSource clock;
  private final Map<List<Multiaddr>, byte[]> records = new LinkedHashMap<>(8, 0.75f, true);
  private long sequence;

  OwnRecords(PrivateKey key, InstantSource clock) {
    this.key = key;
    this.clock = clock;
  }

  /// The sealed record of these addresses.
  synchronized byte[] of(List<Multiaddr> addresses) {
    byte[] known = records.get(addresses);
    if (known != null) {
      return known;
    }
    sequence = Math.max(sequence + 1, clock.instant().toEpochMilli());
    byte[] sealed =
        new PeerRecord(PeerId.of(key.publicKey()), sequence, addresses).seal(key).bytes();
    records.put(List.copyOf(addresses), sealed);
    if (records.size() > RECORDS_MAX) {
      records.remove(records.keySet().iterator().next());
    }
    return sealed;
  }
}

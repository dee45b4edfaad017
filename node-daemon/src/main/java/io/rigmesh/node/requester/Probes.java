package io.rigmesh.node.requester;

import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.protocol.Hash;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// Which provider is being asked about which job. While it is asked it may see how large the job's
/// model is, and nothing more. Safe for use by several threads.
public final class Probes {
  private final Map<Hash, PeerId> asked = new ConcurrentHashMap<>();

  /// A provider is asked; closing what is returned ends it.
  AutoCloseableQuietly begin(Hash job, PeerId provider) {
    asked.put(job, provider);
    return () -> asked.remove(job, provider);
  }

  /// Whether a provider is being asked about a job now.
  public boolean isAsked(Hash job, PeerId provider) {
    PeerId now = asked.get(job);
    return now != null && now.equals(provider);
  }

  /// Closes without an exception.
  @FunctionalInterface
  interface AutoCloseableQuietly extends AutoCloseable {
    @Override
    void close();
  }
}

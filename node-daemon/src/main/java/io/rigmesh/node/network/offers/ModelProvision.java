package io.rigmesh.node.network.offers;

import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.node.Service;
import io.rigmesh.node.models.OfferedModels;
import io.rigmesh.node.network.NetworkService;
import io.rigmesh.protocol.Hash;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Keeps Kademlia's provider records of the models that this node offers: told when a model comes,
/// again until somebody has heard it, and from then on as Kademlia republishes.
public final class ModelProvision implements Service {
  private static final Logger LOG = LoggerFactory.getLogger(ModelProvision.class);
  private static final Duration LOOK_EVERY = Duration.ofSeconds(5);

  private final NetworkService network;
  private final OfferedModels models;
  // Roots that were told to at least one peer.
  private final Set<Hash> told = ConcurrentHashMap.newKeySet();
  private final Set<Hash> underWay = ConcurrentHashMap.newKeySet();
  private @Nullable Thread thread;

  /// The records of a node.
  public ModelProvision(NetworkService network, OfferedModels models) {
    this.network = network;
    this.models = models;
  }

  @Override
  public String name() {
    return "models";
  }

  @Override
  public void start() {
    thread = Thread.ofVirtual().name("models").start(this::run);
  }

  private void run() {
    try {
      while (true) {
        try {
          look();
        } catch (Libp2pException e) {
          LOG.debug("models cannot be announced now: {}", e.getMessage());
        } catch (RuntimeException e) {
          LOG.error("models cannot be announced", e);
        }
        Thread.sleep(LOOK_EVERY);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void look() {
    Set<Hash> now =
        models.list().stream().map(OfferedModels.OfferedModel::root).collect(Collectors.toSet());
    for (Hash root : now) {
      if (!told.contains(root) && underWay.add(root)) {
        var _ =
            network
                .provide(root)
                .whenComplete((peers, e) -> {
                  if (e == null && peers > 0) {
                    told.add(root);
                  }
                  underWay.remove(root);
                });
      }
    }
    for (Hash gone : new HashSet<>(told)) {
      if (!now.contains(gone)) {
        network.unprovide(gone);
        told.remove(gone);
      }
    }
  }

  @Override
  public void stop() {
    Thread running = thread;
    if (running != null) {
      running.interrupt();
      thread = null;
    }
  }
}

package io.rigmesh.libp2p.autonat;

/// Hears when the answer to "can others dial this host?" changes; called on a virtual thread.
@FunctionalInterface
public interface ReachabilityListener {
  void changed(Reachability reachability);
}

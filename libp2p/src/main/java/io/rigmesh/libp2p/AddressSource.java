package io.rigmesh.libp2p;

import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.util.List;

/// Something that knows addresses at which this host may be reached; asked each time they are
/// needed.
@FunctionalInterface
public interface AddressSource {
  List<Multiaddr> addresses();
}

package io.rigmesh.libp2p.gossip;

import io.rigmesh.libp2p.ProtocolId;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What a peer's version of the protocol can do. Later versions can do what earlier ones could: a
/// version that is not known here counts as the newest that is.
///
/// @param mesh whether it takes part in meshes and gossip; a floodsub peer gets every message
/// @param exchange whether it reads the peers and backoff of a PRUNE (1.1)
/// @param unwanted whether it reads IDONTWANT (1.2)
record PeerFeatures(boolean mesh, boolean exchange, boolean unwanted) {
  static final ProtocolId MESHSUB_1_2 = new ProtocolId("/meshsub/1.2.0");
  static final ProtocolId MESHSUB_1_1 = new ProtocolId("/meshsub/1.1.0");
  static final ProtocolId MESHSUB_1_0 = new ProtocolId("/meshsub/1.0.0");
  static final ProtocolId FLOODSUB = new ProtocolId("/floodsub/1.0.0");

  /// What is spoken here, best first.
  static final List<ProtocolId> PROTOCOLS =
      List.of(MESHSUB_1_2, MESHSUB_1_1, MESHSUB_1_0, FLOODSUB);

  private static final Pattern MESHSUB = Pattern.compile("/meshsub/(\\d{1,4})\\.(\\d{1,4})\\..*");

  static final PeerFeatures FLOOD = new PeerFeatures(false, false, false);

  /// The features behind a protocol id; one that cannot be read has the least.
  static PeerFeatures of(ProtocolId protocol) {
    Matcher version = MESHSUB.matcher(protocol.name());
    if (!version.matches()) {
      return FLOOD;
    }
    int major = Integer.parseInt(version.group(1));
    int minor = Integer.parseInt(version.group(2));
    boolean later = major > 1;
    return new PeerFeatures(
        major >= 1, later || (major == 1 && minor >= 1), later || (major == 1 && minor >= 2));
  }
}

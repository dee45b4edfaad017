/// Kademlia: finds peers and providers by the distance of their hashes.
@NullMarked
package io.rigmesh.libp2p.kad;

import org.jspecify.annotations.NullMarked;

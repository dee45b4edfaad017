/// gossipsub: topics whose messages reach every subscriber over a mesh of peers, with validation
/// and scoring.
@NullMarked
package io.rigmesh.libp2p.gossip;

import org.jspecify.annotations.NullMarked;

/// What is known of other peers, bounded, and kept over a restart.
@NullMarked
package io.rigmesh.libp2p.peerstore;

import org.jspecify.annotations.NullMarked;

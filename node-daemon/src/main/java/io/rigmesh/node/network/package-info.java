/// The node in the peer-to-peer network: its host, the peers that it keeps connected to, and what
/// it knows of them.
@NullMarked
package io.rigmesh.node.network;

import org.jspecify.annotations.NullMarked;

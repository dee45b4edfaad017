/// Limits on connections, streams and memory, counted per system, peer, protocol and connection.
@NullMarked
package io.rigmesh.libp2p.resource;

import org.jspecify.annotations.NullMarked;

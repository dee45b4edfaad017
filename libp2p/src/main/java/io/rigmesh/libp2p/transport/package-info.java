/// Ways to reach a peer: each yields a connection that is already secured and multiplexed.
@NullMarked
package io.rigmesh.libp2p.transport;

import org.jspecify.annotations.NullMarked;

/// The host's connections: dialling, upgrading, keeping and trimming them.
@NullMarked
package io.rigmesh.libp2p.swarm;

import org.jspecify.annotations.NullMarked;

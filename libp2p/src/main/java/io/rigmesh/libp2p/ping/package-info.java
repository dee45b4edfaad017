/// ping: is the peer there, and how far away.
@NullMarked
package io.rigmesh.libp2p.ping;

import org.jspecify.annotations.NullMarked;

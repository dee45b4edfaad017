/// circuit relay v2: reach a peer through another, within limits.
@NullMarked
package io.rigmesh.libp2p.relay;

import org.jspecify.annotations.NullMarked;

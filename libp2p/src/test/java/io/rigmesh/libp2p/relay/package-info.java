/// Tests of relays.
@NullMarked
package io.rigmesh.libp2p.relay;

import org.jspecify.annotations.NullMarked;

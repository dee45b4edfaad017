/// Tests of direct connections.
@NullMarked
package io.rigmesh.libp2p.dcutr;

import org.jspecify.annotations.NullMarked;

/// Tests of port mappings.
@NullMarked
package io.rigmesh.libp2p.portmap;

import org.jspecify.annotations.NullMarked;

/// mDNS: finds peers on the local network.
@NullMarked
package io.rigmesh.libp2p.mdns;

import org.jspecify.annotations.NullMarked;

/// Port mappings on the local router by UPnP.
@NullMarked
package io.rigmesh.libp2p.portmap;

import org.jspecify.annotations.NullMarked;

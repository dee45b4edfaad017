/// DCUtR: turns a relayed connection into a direct one by dialling at the same moment.
@NullMarked
package io.rigmesh.libp2p.dcutr;

import org.jspecify.annotations.NullMarked;

/// AutoNAT v2: peers tell whether an address of this host can be reached.
@NullMarked
package io.rigmesh.libp2p.autonat;

import org.jspecify.annotations.NullMarked;

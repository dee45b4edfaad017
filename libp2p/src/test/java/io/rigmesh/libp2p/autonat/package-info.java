/// Tests of AutoNAT.
@NullMarked
package io.rigmesh.libp2p.autonat;

import org.jspecify.annotations.NullMarked;

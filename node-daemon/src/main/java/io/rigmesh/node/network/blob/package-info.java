/// Files between two daemons: `/rigmesh/blob/1.0.0`, both sides of it.
@NullMarked
package io.rigmesh.node.network.blob;

import org.jspecify.annotations.NullMarked;

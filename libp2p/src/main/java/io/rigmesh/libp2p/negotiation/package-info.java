/// multistream-select: both sides agree on a protocol by name.
@NullMarked
package io.rigmesh.libp2p.negotiation;

import org.jspecify.annotations.NullMarked;

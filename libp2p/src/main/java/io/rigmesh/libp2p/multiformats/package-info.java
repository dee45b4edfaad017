/// Self-describing values: varints, base58 and base32 text, multihashes, CIDs and multiaddrs.
@NullMarked
package io.rigmesh.libp2p.multiformats;

import org.jspecify.annotations.NullMarked;

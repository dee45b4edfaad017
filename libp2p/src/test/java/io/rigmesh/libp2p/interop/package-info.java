/// RigMesh's libp2p against js-libp2p, against the public transport interop contract, and beside
/// js-libp2p in speed.
@NullMarked
package io.rigmesh.libp2p.interop;

import org.jspecify.annotations.NullMarked;

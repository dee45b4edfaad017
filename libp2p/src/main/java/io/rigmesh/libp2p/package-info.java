/// A libp2p host on Netty: identity, connections, streams, and the nouns that every protocol is
/// written with.
@NullMarked
package io.rigmesh.libp2p;

import org.jspecify.annotations.NullMarked;

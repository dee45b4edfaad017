/// yamux: many streams with flow control over one connection.
@NullMarked
package io.rigmesh.libp2p.yamux;

import org.jspecify.annotations.NullMarked;

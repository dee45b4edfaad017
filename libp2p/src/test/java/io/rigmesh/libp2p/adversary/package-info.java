/// Peers that break the rules, over raw sockets: what they cost, how they end, and that nobody else
/// notices.
@NullMarked
package io.rigmesh.libp2p.adversary;

import org.jspecify.annotations.NullMarked;

/// What providers have at stake: this node's own, bound to its peer, and that behind others'
/// offers.
@NullMarked
package io.rigmesh.node.stake;

import org.jspecify.annotations.NullMarked;

/// The daemon's link to its chain: connected in the background, watched, and said to be away when
/// it is.
@NullMarked
package io.rigmesh.node.chain;

import org.jspecify.annotations.NullMarked;

/// The daemon's REST interface from the other side: what the command line and the quickstart speak
/// with it.
@NullMarked
package io.rigmesh.node.client;

import org.jspecify.annotations.NullMarked;

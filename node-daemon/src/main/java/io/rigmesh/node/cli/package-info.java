/// The command line: each command a class, all of them clients of the daemon's REST interface but
/// for those that run the engine alone.
@NullMarked
package io.rigmesh.node.cli;

import org.jspecify.annotations.NullMarked;

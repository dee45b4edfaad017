/// The command line: each command a class. Most are clients of the daemon's REST interface; others
/// run the engine, the daemon itself, or the wallet where no daemon runs.
@NullMarked
package io.rigmesh.node.cli;

import org.jspecify.annotations.NullMarked;

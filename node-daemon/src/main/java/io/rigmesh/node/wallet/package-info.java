/// An account's money beside the daemon: its history, what is locked, and transactions that a
/// person asks for.
@NullMarked
package io.rigmesh.node.wallet;

import org.jspecify.annotations.NullMarked;

/// An account's money as a person sees it, in a daemon or in a command where none runs: its
/// history, what is locked, and transactions that are asked for.
@NullMarked
package io.rigmesh.node.wallet;

import org.jspecify.annotations.NullMarked;

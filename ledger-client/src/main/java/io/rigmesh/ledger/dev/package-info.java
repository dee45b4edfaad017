/// Development chains: an anvil process on this machine, and the contracts deployed to it.
@NullMarked
package io.rigmesh.ledger.dev;

import org.jspecify.annotations.NullMarked;

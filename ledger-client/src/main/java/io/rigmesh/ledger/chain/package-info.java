/// The chain behind its RPC endpoints: which one it is, where its head stands, and what it answers.
@NullMarked
package io.rigmesh.ledger.chain;

import org.jspecify.annotations.NullMarked;

/// The chain: contract wrappers, stored transaction intents, escrow and registry calls through
/// web3j.
@NullMarked
package io.rigmesh.ledger;

import org.jspecify.annotations.NullMarked;

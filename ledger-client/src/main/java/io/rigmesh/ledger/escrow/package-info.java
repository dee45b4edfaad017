/// The market's contracts in typed calls: escrow, stake, token, and the events of the escrow.
@NullMarked
package io.rigmesh.ledger.escrow;

import org.jspecify.annotations.NullMarked;

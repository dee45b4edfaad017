/// Transactions that survive a crash: stored before they are signed, signed bytes stored before
/// they are sent.
@NullMarked
package io.rigmesh.ledger.intent;

import org.jspecify.annotations.NullMarked;

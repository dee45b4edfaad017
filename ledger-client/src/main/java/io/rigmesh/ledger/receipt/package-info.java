/// Receipts that an account stands by on the chain.
@NullMarked
package io.rigmesh.ledger.receipt;

import org.jspecify.annotations.NullMarked;

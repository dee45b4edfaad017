/// Receipts of jobs under Merkle roots that an account writes into a chain's ReceiptLog, in a
/// daemon or in a command where none runs, and proofs of one receipt for anybody.
@NullMarked
package io.rigmesh.node.receipts;

import org.jspecify.annotations.NullMarked;

/// Accounts that sign for this node, and the encrypted file that keeps a key.
@NullMarked
package io.rigmesh.ledger.account;

import org.jspecify.annotations.NullMarked;

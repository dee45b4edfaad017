/// What an account has, where it is, and how it came to that: kept from the followed events.
@NullMarked
package io.rigmesh.ledger.wallet;

import org.jspecify.annotations.NullMarked;

/// Payment channels: what a payer has promised, what a payee has been promised and handed in, and
/// the contract behind both, stored so that no crash loses or doubles a payment.
@NullMarked
package io.rigmesh.ledger.channel;

import org.jspecify.annotations.NullMarked;

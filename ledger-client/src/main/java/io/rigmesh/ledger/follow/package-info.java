/// Follows the contracts' events: at a confirmation depth, through reorganisations and gaps, each
/// applied exactly once.
@NullMarked
package io.rigmesh.ledger.follow;

import org.jspecify.annotations.NullMarked;

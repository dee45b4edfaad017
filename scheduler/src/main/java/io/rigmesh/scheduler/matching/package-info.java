/// Offers that are live, and which of them fits a job best. Auctions, failover, audits and
/// reputation find their place beside it.
@NullMarked
package io.rigmesh.scheduler.matching;

import org.jspecify.annotations.NullMarked;

/// What work costs: a bound before it runs, the price after.
@NullMarked
package io.rigmesh.scheduler.pricing;

import org.jspecify.annotations.NullMarked;

/// The node's numbers in Prometheus' form: names with units, a help text each, and labels whose
/// values are few and known beforehand.
@NullMarked
package io.rigmesh.node.metrics;

import org.jspecify.annotations.NullMarked;

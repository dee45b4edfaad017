/// The side that computes and is paid: takes signed jobs, runs them, proves them and collects.
@NullMarked
package io.rigmesh.node.provider;

import org.jspecify.annotations.NullMarked;

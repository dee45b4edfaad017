/// Jobs between two daemons: `/rigmesh/job/1.0.0`, both sides of it.
@NullMarked
package io.rigmesh.node.network.job;

import org.jspecify.annotations.NullMarked;

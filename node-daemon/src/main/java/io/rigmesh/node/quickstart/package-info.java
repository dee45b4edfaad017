/// The main job from end to end on one machine: a development chain, two providers and a requester
/// as three daemons, three signed jobs, their receipts recomputed, and the money settled.
@NullMarked
package io.rigmesh.node.quickstart;

import org.jspecify.annotations.NullMarked;

/// The main job from end to end on one machine: a development chain, a provider and a requester as
/// two daemons, three signed jobs, their receipts recomputed, and the money settled.
@NullMarked
package io.rigmesh.node.quickstart;

import org.jspecify.annotations.NullMarked;

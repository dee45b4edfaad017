/// A job as the node sees it, whichever side of it the node is on: views, drafts, events,
/// artifacts, and their JSON.
@NullMarked
package io.rigmesh.node.jobs;

import org.jspecify.annotations.NullMarked;

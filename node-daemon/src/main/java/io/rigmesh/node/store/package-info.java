/// The node's memory: jobs, their events and nonces in SQLite, on disk before anything leaves the
/// process.
@NullMarked
package io.rigmesh.node.store;

import org.jspecify.annotations.NullMarked;

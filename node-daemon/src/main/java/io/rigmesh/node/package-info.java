/// The composition root: configuration, store, services, REST, metrics and the command line, wired
/// by hand.
@NullMarked
package io.rigmesh.node;

import org.jspecify.annotations.NullMarked;

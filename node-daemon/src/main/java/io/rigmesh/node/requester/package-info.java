/// The side that asks and pays: signs jobs, funds them, watches, checks and releases.
@NullMarked
package io.rigmesh.node.requester;

import org.jspecify.annotations.NullMarked;

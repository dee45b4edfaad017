/// Whole markets in a test: a real chain, daemons as processes of their own, real workers.
@NullMarked
package io.rigmesh.node.market;

import org.jspecify.annotations.NullMarked;

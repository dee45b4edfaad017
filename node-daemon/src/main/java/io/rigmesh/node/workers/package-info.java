/// Worker processes, one per device: started, watched, started again.
@NullMarked
package io.rigmesh.node.workers;

import org.jspecify.annotations.NullMarked;

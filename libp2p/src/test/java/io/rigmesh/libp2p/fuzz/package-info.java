/// Coverage-guided fuzzing of everything that reads what peers send.
@NullMarked
package io.rigmesh.libp2p.fuzz;

import org.jspecify.annotations.NullMarked;

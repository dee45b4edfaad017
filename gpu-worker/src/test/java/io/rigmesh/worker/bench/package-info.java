/// Benchmarks: each measures one figure of ours beside a peer's, in one run, and reports the ratio.
@NullMarked
package io.rigmesh.worker.bench;

import org.jspecify.annotations.NullMarked;

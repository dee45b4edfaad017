package io.rigmesh.worker.bench;

import java.util.List;

/// A benchmark that `scripts/bench.sh NAME` runs; it is listed in [Benchmarks].
interface Benchmark {
  /// The name on the command line and the value of "bench" in the results.
  String name();

  /// Measures, ours and the peer interleaved, and returns medians.
  List<Measurement> run() throws Exception;
}

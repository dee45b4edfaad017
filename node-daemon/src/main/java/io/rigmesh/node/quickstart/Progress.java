package io.rigmesh.node.quickstart;

/// Shows how far one job is.
public interface Progress {
  /// The job is at `step` of `total`; `detail` is what else there is to say.
  void show(long step, long total, String detail);

  /// The job is over.
  void end();
}

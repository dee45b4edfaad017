package io.rigmesh.worker.bench;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;

/// The CPU time of the calling thread: for work on one thread it leaves out the time that other
/// processes had the core.
final class CpuClock {
  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

  private CpuClock() {}

  static long threadNanos() {
    return THREADS.getCurrentThreadCpuTime();
  }
}

package io.rigmesh.node.jobs;

import java.time.Duration;

/// A job's events in order: those on disk first, then each as it happens, until the job is at its
/// end. For one thread; closing it from another ends the wait.
public interface JobEvents extends AutoCloseable {
  /// What came.
  sealed interface Next {
    /// An event.
    ///
    /// @param event the event
    record Event(JobEvent event) implements Next {}

    /// Nothing within the time; ask again.
    record Waiting() implements Next {}

    /// The job is at its end and every event was given.
    record Ended() implements Next {}
  }

  /// The next event.
  ///
  /// @param timeout how long to wait for one at most
  /// @throws InterruptedException if the thread is interrupted while it waits
  Next next(Duration timeout) throws InterruptedException;

  @Override
  void close();
}

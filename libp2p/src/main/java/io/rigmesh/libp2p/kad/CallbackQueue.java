package io.rigmesh.libp2p.kad;

import java.util.ArrayDeque;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/// Runs tasks on an executor one after the other, in the order in which they are added.
/// Thread-safe.
final class CallbackQueue {
  private final Executor executor;
  private final ArrayDeque<Runnable> tasks = new ArrayDeque<>();
  private boolean running;

  CallbackQueue(Executor executor) {
    this.executor = executor;
  }

  void add(Runnable task) {
    synchronized (tasks) {
      tasks.add(task);
      if (running) {
        return;
      }
      running = true;
    }
    executor.execute(this::run);
  }

  private void run() {
    while (true) {
      Runnable task = next();
      if (task == null) {
        return;
      }
      boolean done = false;
      try {
        task.run();
        done = true;
      } finally {
        if (!done) {
          // The failure goes to the thread's handler; the rest goes on without it.
          executor.execute(this::run);
        }
      }
    }
  }

  private @Nullable Runnable next() {
    synchronized (tasks) {
      Runnable task = tasks.poll();
      running = task != null;
      return task;
    }
  }
}

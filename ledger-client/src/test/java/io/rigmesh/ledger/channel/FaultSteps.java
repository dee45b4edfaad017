package io.rigmesh.ledger.channel;

import io.rigmesh.ledger.intent.SendListener;
import io.rigmesh.ledger.intent.SendStep;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/// Counts what a process does, the steps of its transactions and of its jobs, by whatever thread,
/// and ends it at one of them by SIGKILL from itself: no thread does anything more, nothing is
/// closed or flushed, and it is the same step however fast the machine is.
final class FaultSteps implements SendListener {
  private static final int SIGKILL = 9;

  /// Steps that are still done; below zero for all.
  private int left = -1;

  /// Lets this process do so many steps more; below zero, all that there are.
  synchronized void dieAfter(int steps) {
    left = steps;
  }

  /// A step is done: here the process may end.
  synchronized void step(String at) {
    if (left == 0) {
      System.out.println(FaultProcess.SAYS + "dies at " + at);
      System.out.flush();
      die();
    }
    left = Math.max(-1, left - 1);
  }

  @Override
  public void reached(SendStep step, String key) {
    step(step + " of " + key);
  }

  @SuppressWarnings("restricted") // The process was started with the right to call C.
  private static void die() {
    Linker linker = Linker.nativeLinker();
    MethodHandle kill =
        linker.downcallHandle(
            linker.defaultLookup().findOrThrow("kill"),
            FunctionDescriptor.of(
                ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
    try {
      int _ = (int) kill.invokeExact((int) ProcessHandle.current().pid(), SIGKILL);
    } catch (Throwable e) {
      throw new IllegalStateException("kill(2) cannot be called", e);
    }
    throw new IllegalStateException("a process outlived its SIGKILL");
  }
}

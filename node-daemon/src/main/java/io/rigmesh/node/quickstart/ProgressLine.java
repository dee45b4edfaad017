package io.rigmesh.node.quickstart;

import java.io.PrintStream;
import java.util.Locale;

/// How far one job is: a bar that redraws itself on a terminal, a line at every quarter elsewhere.
final class ProgressLine {
  private static final int WIDTH = 30;

  private final PrintStream out;
  private final boolean terminal;
  private final String name;
  private String state = "";
  private long quarterSaid = -1;
  private boolean drawn;

  ProgressLine(PrintStream out, boolean terminal, String name) {
    this.out = out;
    this.terminal = terminal;
    this.name = name;
  }

  /// The job entered a state.
  void state(String now) {
    state = now;
    if (terminal) {
      draw("");
    }
  }

  /// The job is at `step` of `total`.
  void show(long step, long total, String detail) {
    if (total <= 0) {
      return;
    }
    if (terminal) {
      int filled = (int) (Math.min(step, total) * WIDTH / total);
      draw(
          "█".repeat(filled)
              + "░".repeat(WIDTH - filled)
              + String.format(Locale.ROOT, " %d/%d  %s", step, total, detail));
    } else if (step * 4 / total > quarterSaid) {
      quarterSaid = step * 4 / total;
      out.printf(Locale.ROOT, "  %-9s %d/%d  %s%n", name, step, total, detail);
    }
  }

  /// Leaves the line.
  void end() {
    if (drawn) {
      out.println();
      drawn = false;
    }
  }

  private void draw(String text) {
    out.print("\r\u001b[2K  " + String.format(Locale.ROOT, "%-9s %-9s ", name, state) + text);
    out.flush();
    drawn = true;
  }
}

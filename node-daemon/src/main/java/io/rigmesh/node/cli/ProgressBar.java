package io.rigmesh.node.cli;

import io.rigmesh.node.quickstart.Progress;
import java.util.Locale;

/// How far a job is: one line that redraws itself on a terminal, and otherwise a plain line at
/// every tenth, so that a log stays readable.
final class ProgressBar implements Progress {
  private static final int WIDTH = 30;

  private final Console console;
  private final String name;
  private long tenthSaid = -1;
  private boolean drawn;

  ProgressBar(Console console, String name) {
    this.console = console;
    this.name = name;
  }

  /// Shows `step` of `total`.
  ///
  /// @param detail what else there is to say, such as the loss; may be empty
  @Override
  public void show(long step, long total, String detail) {
    if (total <= 0) {
      return;
    }
    long done = Math.min(step, total);
    if (console.isTerminal()) {
      int filled = (int) (done * WIDTH / total);
      String bar = "█".repeat(filled) + "░".repeat(WIDTH - filled);
      console.redraw(line(bar + " ", done, total, detail));
      drawn = true;
    } else if (done * 10 / total > tenthSaid) {
      tenthSaid = done * 10 / total;
      console.say(line("", done, total, detail));
    }
  }

  /// Leaves the bar's line, so that what follows starts on its own.
  @Override
  public void end() {
    if (drawn) {
      console.say("");
      drawn = false;
    }
  }

  private String line(String bar, long done, long total, String detail) {
    return String.format(
        Locale.ROOT, "%s %s%d/%d %3d%% %s", name, bar, done, total, done * 100 / total, detail);
  }
}

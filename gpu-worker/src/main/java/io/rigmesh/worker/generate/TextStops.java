package io.rigmesh.worker.generate;

import java.util.List;

/// Looks for stop texts in a text that comes piece by piece, and lets through what cannot be the
/// beginning of one. The text ends before the stop text that begins first. Serves one thread at a
/// time.
public final class TextStops {
  private final List<String> stops;
  private final StringBuilder held = new StringBuilder();
  private boolean stopped;

  /// @param stops none of them empty; no stops let everything through
  public TextStops(List<String> stops) {
    this.stops = List.copyOf(stops);
  }

  /// Takes the next piece and returns what is certainly part of the text. Nothing follows once a
  /// stop text was found.
  public String append(String piece) {
    if (stopped) {
      return "";
    }
    held.append(piece);
    int first = -1;
    for (String stop : stops) {
      int at = held.indexOf(stop);
      first = at >= 0 && (first < 0 || at < first) ? at : first;
    }
    if (first >= 0) {
      stopped = true;
      String text = held.substring(0, first);
      held.setLength(0);
      return text;
    }
    int keep = 0;
    for (String stop : stops) {
      keep = Math.max(keep, beginning(stop));
    }
    String text = held.substring(0, held.length() - keep);
    held.delete(0, held.length() - keep);
    return text;
  }

  /// How many of the last held characters are how a stop text begins.
  private int beginning(String stop) {
    for (int length = Math.min(stop.length() - 1, held.length()); length > 0; length--) {
      if (held.indexOf(stop.substring(0, length), held.length() - length) >= 0) {
        return length;
      }
    }
    return 0;
  }

  /// Whether a stop text was found.
  public boolean stopped() {
    return stopped;
  }

  /// What is still held, once the text has ended for another reason.
  public String finish() {
    String text = held.toString();
    held.setLength(0);
    return text;
  }
}

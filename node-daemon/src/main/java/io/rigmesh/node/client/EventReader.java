package io.rigmesh.node.client;

import java.io.BufferedReader;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/// Reads server-sent events from a stream, as the HTML standard defines them.
final class EventReader {
  private static final int DATA_CHARS_MAX = 1 << 20;

  private final BufferedReader lines;

  EventReader(BufferedReader lines) {
    this.lines = lines;
  }

  /// One event.
  ///
  /// @param id its id, 0 if it has none
  /// @param type its name
  /// @param data its data
  record Event(long id, String type, String data) {}

  /// The next event; null at the stream's end.
  @Nullable Event next() throws IOException {
    long id = 0;
    String type = "message";
    StringBuilder data = new StringBuilder();
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      if (line.isEmpty()) {
        if (!data.isEmpty()) {
          return new Event(id, type, data.toString());
        }
      } else if (line.startsWith("id:")) {
        id = Long.parseLong(line.substring(3).strip());
      } else if (line.startsWith("event:")) {
        type = line.substring(6).strip();
      } else if (line.startsWith("data:")) {
        data.append(data.isEmpty() ? "" : "\n").append(line.substring(5).stripLeading());
        if (data.length() > DATA_CHARS_MAX) {
          throw new IOException("an event has more than " + DATA_CHARS_MAX + " characters");
        }
      }
    }
    return null;
  }
}

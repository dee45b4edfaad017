package io.rigmesh.node.log;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.LoggingEvent;
import ch.qos.logback.core.Appender;
import ch.qos.logback.core.AppenderBase;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongSupplier;

/// Lets the same warning through once a minute, and says then how often it came in between: a chain
/// that is away for a night is one line a minute, not fourteen thousand. Two warnings are the same
/// if they come from one logger with one pattern, whatever its arguments.
final class RepeatedWarnings extends AppenderBase<ILoggingEvent> {
  private static final long WINDOW_NANOS = 60_000_000_000L;
  private static final int KINDS_MAX = 512;

  private final Appender<ILoggingEvent> shown;
  private final LongSupplier nanoTime;
  private final Map<Kind, Seen> seen =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Kind, Seen> eldest) {
          return size() > KINDS_MAX;
        }
      };

  private record Kind(String logger, String pattern) {}

  /// When a kind was let through last, and how many were held back since.
  private record Seen(long atNanos, long heldBack) {}

  /// @param shown where everything goes that is let through
  RepeatedWarnings(Appender<ILoggingEvent> shown, LongSupplier nanoTime) {
    this.shown = shown;
    this.nanoTime = nanoTime;
  }

  /// Logback calls this for one event at a time.
  @Override
  protected void append(ILoggingEvent event) {
    if (event.getLevel().toInt() < Level.WARN_INT) {
      shown.doAppend(event);
      return;
    }
    Kind kind = new Kind(event.getLoggerName(), String.valueOf(event.getMessage()));
    long now = nanoTime.getAsLong();
    Seen before = seen.get(kind);
    if (before != null && now - before.atNanos < WINDOW_NANOS) {
      seen.put(kind, new Seen(before.atNanos, before.heldBack + 1));
      return;
    }
    seen.put(kind, new Seen(now, 0));
    if (before != null && before.heldBack > 0) {
      shown.doAppend(
          new LoggingEvent(
              RepeatedWarnings.class.getName(),
              ((LoggerContext) getContext()).getLogger(event.getLoggerName()),
              event.getLevel(),
              "what follows came {} more times since it was last shown",
              null,
              new Object[] {before.heldBack}));
    }
    shown.doAppend(event);
  }
}

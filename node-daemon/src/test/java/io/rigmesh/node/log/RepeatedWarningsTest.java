package io.rigmesh.node.log;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.LoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class RepeatedWarningsTest {
  private static final long SECOND = 1_000_000_000L;

  private final AtomicLong now = new AtomicLong();
  private final LoggerContext context = new LoggerContext();
  private final ListAppender<ILoggingEvent> shown = new ListAppender<>();
  private final RepeatedWarnings repeated = new RepeatedWarnings(shown, now::get);

  @BeforeEach
  void start() {
    shown.start();
    repeated.setContext(context);
    repeated.start();
  }

  private void log(Level level, String pattern, Object... arguments) {
    repeated.doAppend(
        new LoggingEvent("fqcn", context.getLogger("a"), level, pattern, null, arguments));
  }

  private List<String> lines() {
    return shown.list.stream().map(ILoggingEvent::getFormattedMessage).toList();
  }

  @Test
  void sameWarningComesThroughOnceAMinuteWithACount() {
    log(Level.WARN, "away {}", 1);
    for (int i = 0; i < 14_000; i++) {
      log(Level.WARN, "away {}", i);
    }
    assertThat(lines()).containsExactly("away 1");
    now.addAndGet(61 * SECOND);
    log(Level.WARN, "away {}", 9);
    assertThat(lines()).hasSize(3).last().isEqualTo("away 9");
    assertThat(lines().get(1)).contains("14000");
    assertThat(shown.list.get(1).getLoggerName()).isEqualTo("a");
  }

  @Test
  void otherWarningsAndInformationAreLeftAlone() {
    log(Level.WARN, "one");
    log(Level.ERROR, "two");
    for (int i = 0; i < 3; i++) {
      log(Level.INFO, "news");
    }
    assertThat(lines()).containsExactly("one", "two", "news", "news", "news");
  }
}

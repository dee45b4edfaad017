package io.rigmesh.node.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class TablesTest {
  private static final List<String> COLUMNS = List.of("kind", "note");
  private static final List<List<String>> ROWS =
      List.of(List.of("stake", "now"), List.of("due", "\"milestone\" 1, paid"));

  @Test
  void valuesWithCommasAndQuotesAreQuoted() {
    assertThat(Tables.csv(COLUMNS, ROWS))
        .containsExactly("kind,note", "stake,now", "due,\"\"\"milestone\"\" 1, paid\"");
  }

  @Test
  void jsonHasAFieldForEachColumn() {
    assertThat(Tables.json(COLUMNS, ROWS))
        .hasToString(
            "[{\"kind\":\"stake\",\"note\":\"now\"},"
                + "{\"kind\":\"due\",\"note\":\"\\\"milestone\\\" 1, paid\"}]");
  }

  @Test
  void tablesForPeopleHaveAHeading() {
    assertThat(Tables.withHeading(COLUMNS, ROWS).getFirst()).containsExactly("KIND", "NOTE");
  }
}

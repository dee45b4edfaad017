package io.rigmesh.node.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.node.config.ConfigLoader;
import io.rigmesh.node.config.EffectiveConfig;
import io.rigmesh.node.rest.MemoryNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The tables of docs/operations.md that are made of the code: every setting and every metric.
/// Where one differs, what it should say is in the failure, to be copied.
class OperationsPageTest {
  private static final Path PAGE = Path.of("../docs/operations.md");

  @TempDir Path home;

  @Test
  void everySettingStandsInTheTableWithItsDefaultAndWhatItIsFor() throws IOException {
    List<String> wanted = new ArrayList<>();
    EffectiveConfig defaults = ConfigLoader.load(home, Optional.empty(), Map.of(), Map.of());
    for (EffectiveConfig.Entry entry : defaults.entries()) {
      String value = entry.value();
      wanted.add(
          "| `%s` | %s | %s |"
              .formatted(entry.key(), value.isEmpty() ? "" : "`" + value + "`", entry.help()));
    }
    assertThat(rows("| setting | default | what |"))
        .as("%n%s%n", String.join("\n", wanted))
        .isEqualTo(wanted);
  }

  @Test
  void everyMetricStandsInTheTableWithItsLabelsAndWhatItIs() throws IOException {
    NodeMetrics metrics = new NodeMetrics(new MemoryNode(home, Map.of()), "1.2.3");
    PrometheusText text;
    try {
      metrics.eventStreams(() -> 0);
      metrics.request("GET", "/v1/jobs", 200, Duration.ofMillis(3));
      text = PrometheusText.parse(metrics.scrape());
    } finally {
      metrics.close();
    }
    List<String> wanted = new ArrayList<>();
    for (String name : new TreeSet<>(text.families().keySet())) {
      PrometheusText.Family family = text.families().get(name);
      if (name.startsWith("rigmesh_")) {
        TreeSet<String> labels = new TreeSet<>();
        family.samples().forEach(sample -> labels.addAll(sample.labels().keySet()));
        labels.remove("le");
        wanted.add(
            "| `%s` | %s | %s | %s |"
                .formatted(name, family.type(), String.join(", ", labels), family.help()));
      }
    }
    assertThat(rows("| metric | type | labels | what |"))
        .as("%n%s%n", String.join("\n", wanted))
        .isEqualTo(wanted);
  }

  /// The rows of the page's table that has this heading.
  private static List<String> rows(String heading) throws IOException {
    List<String> lines = Files.readAllLines(PAGE);
    int start = lines.indexOf(heading);
    assertThat(start).as("the table with the heading %s", heading).isNotNegative();
    return lines.stream().skip(start + 2L).takeWhile(line -> line.startsWith("|")).toList();
  }
}

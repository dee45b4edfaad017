package io.rigmesh.worker.jinja;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JinjaTemplateTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final JinjaTemplate.Limits LIMITS = new JinjaTemplate.Limits(100_000, 1_000_000);

  /// Cases whose lines belong together are the few that begin with whitespace control.
  private static List<String> templates() throws IOException {
    try (InputStream in = JinjaTemplateTest.class.getResourceAsStream("/jinja-cases.txt")) {
      String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      List<String> templates = new ArrayList<>(text.lines().toList());
      // Whole stretches of the file, so that what stands on several lines is tried as well.
      List<String> lines = text.lines().toList();
      for (int length = 2; length <= 9; length++) {
        int window = length;
        IntStream.range(0, lines.size() - length)
            .mapToObj(from -> String.join("\n", lines.subList(from, from + window)) + "\n")
            .forEach(templates::add);
      }
      return templates;
    }
  }

  @Test
  void everyTemplateGivesWhatPythonsJinjaGives() throws IOException, InterruptedException {
    JsonNode messages =
        JSON.readTree(
            """
            [{"role": "system", "content": "You are  "}, {"role": "user", "content": "Grüße 😀"},
             {"role": "assistant", "content": "ok", "tool_calls": [{"name": "f", "arguments": {"x": 1.5}}]}]
            """);
    List<JinjaOracle.Case> cases =
        templates().stream()
            .map(template -> new JinjaOracle.Case(template, Map.of("messages", messages)))
            .toList();
    List<JinjaOracle.Answer> theirs = JinjaOracle.answers(cases);
    assertThat(theirs.stream().filter(answer -> answer.kind().equals("text")).count())
        .isGreaterThan(100);
    SoftAssertions softly = new SoftAssertions();
    for (int i = 0; i < cases.size(); i++) {
      JinjaOracle.Answer ours = JinjaOracle.ours(cases.get(i));
      softly
          .assertThat(ours.kind() + (ours.kind().equals("error") ? "" : ": " + ours.text()))
          .as("%s%n(theirs %s)%n(ours %s)", cases.get(i).template(), theirs.get(i), ours)
          .isEqualTo(
              theirs.get(i).kind()
                  + (theirs.get(i).kind().equals("error") ? "" : ": " + theirs.get(i).text()));
    }
    softly.assertAll();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
        "{{ 'a' * 999999999 }}",
        "{% set ns = namespace(t='aaaaaaaaaa') %}{% for i in range(99) %}{% set ns.t = ns.t + ns.t %}{% endfor %}",
        "{% set ns = namespace(t=[1]) %}{% for i in range(99) %}{% set ns.t = [ns.t, ns.t] %}{% endfor %}{{ ns.t }}",
        "{% set ns = namespace(t=[1]) %}{% for i in range(99) %}{% set ns.t = [ns.t, ns.t] %}{% endfor %}{{ ns.t | tojson }}",
        "{% set ns = namespace(t=[1]) %}{% for i in range(99) %}{% set ns.t = ns.t + ns.t %}{% endfor %}",
        "{% set ns = namespace(t='a,') %}{% for i in range(99) %}{% set ns.t = ns.t.replace(',', ns.t) %}{% endfor %}",
        "{% macro m(n) %}{{ m(n + 1) }}{% endmacro %}{{ m(0) }}",
        "{{ '%9999s' % 'a' * 99999 }}",
        "{{ 'a'.ljust(2000000000) }}",
        "{{ range(1000000000) }}",
        "{{ [1] | tojson(indent=1000000000) }}{{ 'a' * 9999999 }}",
        "{{ 2 ** 99 }}",
        "{{ 9223372036854775807 + 1 }}",
      })
  void aTemplateThatNeverEndsOrGrowsWithoutBoundIsStopped(String template) {
    assertThatThrownBy(() -> render(template))
        .isInstanceOfSatisfying(JinjaException.class, e -> assertThat(e.refusal()).isFalse());
  }

  @Test
  void deepNestingIsRefusedNotOverflowed() {
    for (String deep :
        List.of(
            "{{ " + "(".repeat(50_000) + "1" + ")".repeat(50_000) + " }}",
            "{{ " + "not ".repeat(50_000) + "1 }}",
            "{{ " + "-".repeat(50_000) + "1 }}",
            "{{ 1" + " + 1".repeat(50_000) + " }}",
            "{{ x" + ".a".repeat(50_000) + " }}",
            "{% if 1 %}".repeat(50_000),
            "{{ " + "[".repeat(50_000) + " }}",
            "{{ 1 if ".repeat(50_000))) {
      assertThatThrownBy(() -> render(deep)).isInstanceOf(JinjaException.class);
    }
  }

  @Test
  void errorsNameTheirLine() {
    assertThatThrownBy(
            () -> render("a\nb {{ 1 }}\n{% if x %}\n{{ 'a' + 1 }}{% endif %}{{ 1 + 'a' }}"))
        .hasMessage("template line 4: '+' does not go with a int and a str");
    assertThatThrownBy(() -> render("\n\n{{ missing.part }}"))
        .hasMessage("template line 3: 'missing' is undefined");
    assertThatThrownBy(() -> render("{#\n#}{% endif %}"))
        .hasMessage("template line 2: there is no block 'endif' here");
  }

  private static String render(String template) {
    return JinjaTemplate.parse(template).render(Map.of(), JinjaOracle.NOW, LIMITS);
  }
}

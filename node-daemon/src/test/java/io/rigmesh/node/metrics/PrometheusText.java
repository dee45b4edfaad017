package io.rigmesh.node.metrics;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Prometheus' text format, read strictly: what does not fit is an error.
record PrometheusText(Map<String, Family> families) {
  private static final Pattern SAMPLE =
      Pattern.compile("([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\\{(.*)})? (NaN|[+-]?Inf|[+-]?[0-9.eE+-]+)");
  private static final Pattern LABEL =
      Pattern.compile("([a-zA-Z_][a-zA-Z0-9_]*)=\"((?:[^\"\\\\]|\\\\.)*)\"(?:,|$)");

  record Family(String name, String help, String type, List<Sample> samples) {}

  record Sample(String name, Map<String, String> labels, double value) {}

  static PrometheusText parse(String text) {
    if (!text.endsWith("\n")) {
      throw new IllegalArgumentException("the last line has no end");
    }
    Map<String, String> helps = new LinkedHashMap<>();
    Map<String, Family> families = new LinkedHashMap<>();
    for (String line : text.split("\n")) {
      if (line.startsWith("# HELP ")) {
        String[] parts = line.substring(7).split(" ", 2);
        helps.put(parts[0], parts.length > 1 ? parts[1] : "");
      } else if (line.startsWith("# TYPE ")) {
        String[] parts = line.substring(7).split(" ", 2);
        if (families.containsKey(parts[0])) {
          throw new IllegalArgumentException(parts[0] + " stands twice");
        }
        families.put(
            parts[0],
            new Family(parts[0], helps.getOrDefault(parts[0], ""), parts[1], new ArrayList<>()));
      } else if (!line.isEmpty() && !line.startsWith("#")) {
        Sample sample = sample(line);
        family(families, sample.name()).samples().add(sample);
      }
    }
    return new PrometheusText(families);
  }

  private static Family family(Map<String, Family> families, String name) {
    for (String suffix : List.of("", "_bucket", "_count", "_sum", "_max")) {
      if (name.endsWith(suffix)) {
        Family family = families.get(name.substring(0, name.length() - suffix.length()));
        if (family != null) {
          return family;
        }
      }
    }
    throw new IllegalArgumentException(name + " has no TYPE before it");
  }

  private static Sample sample(String line) {
    Matcher m = SAMPLE.matcher(line);
    if (!m.matches()) {
      throw new IllegalArgumentException("not a sample: " + line);
    }
    Map<String, String> labels = new TreeMap<>();
    if (m.group(2) != null) {
      Matcher l = LABEL.matcher(m.group(2));
      int end = 0;
      while (l.find() && l.start() == end) {
        labels.put(l.group(1), l.group(2));
        end = l.end();
      }
      if (end != m.group(2).length()) {
        throw new IllegalArgumentException("not labels: " + line);
      }
    }
    return new Sample(
        m.group(1), labels, Double.parseDouble(m.group(3).replace("Inf", "Infinity")));
  }

  double value(String name, Map<String, String> labels) {
    return families.values().stream()
        .flatMap(f -> f.samples().stream())
        .filter(s -> s.name().equals(name) && s.labels().equals(labels))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no sample " + name + labels))
        .value();
  }
}

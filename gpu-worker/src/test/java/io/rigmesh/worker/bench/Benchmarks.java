package io.rigmesh.worker.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.bench.LanguageModelSpeed.Phase;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Runs the named benchmarks: `NAME... [--json FILE]`, where the names `cpu` and `engine` stand for
/// all of them.
///
/// Prints a table; with --json also writes one object a line to FILE.
public final class Benchmarks {
  /// Every benchmark there is.
  private static final List<Benchmark> ALL =
      List.of(
          new EmbeddingSpeed(Profile.F32_V1),
          new EmbeddingSpeed(Profile.I8_V1),
          new MatmulF32(),
          new TrainF32(),
          new LanguageModelSpeed(Phase.DECODE, Profile.F32_V1, "F32"),
          new LanguageModelSpeed(Phase.DECODE, Profile.I8_V1, "Q4"),
          new LanguageModelSpeed(Phase.PREFILL, Profile.F32_V1, "F32"),
          new LanguageModelSpeed(Phase.PREFILL, Profile.I8_V1, "Q4"),
          new VerifySpeed(),
          new ReceiptsCost());

  private Benchmarks() {}

  /// The entry point of scripts/bench.sh.
  public static void main(String[] arguments) throws Exception {
    Map<String, Benchmark> chosen = new LinkedHashMap<>();
    Path json = null;
    for (int i = 0; i < arguments.length; i++) {
      if (arguments[i].equals("--json")) {
        if (i + 1 == arguments.length) {
          refuse("--json needs a file name");
        }
        json = Path.of(arguments[++i]);
      } else {
        choose(arguments[i], chosen);
      }
    }
    if (chosen.isEmpty()) {
      refuse("no benchmark is named");
    }
    List<Measurement> results = new ArrayList<>();
    header();
    for (Benchmark benchmark : chosen.values()) {
      for (Measurement result : benchmark.run()) {
        row(result);
        results.add(result);
      }
    }
    if (json != null) {
      write(results, json);
    }
  }

  private static void choose(String name, Map<String, Benchmark> chosen) {
    int before = chosen.size();
    for (Benchmark benchmark : ALL) {
      if (name.equals("cpu") || name.equals("engine") || name.equals(benchmark.name())) {
        chosen.put(benchmark.name(), benchmark);
      }
    }
    if (chosen.size() == before && !chosen.containsKey(name)) {
      refuse("there is no benchmark " + name);
    }
  }

  private static void refuse(String reason) {
    List<String> names = ALL.stream().map(Benchmark::name).toList();
    System.err.printf(
        "bench.sh: %s; usage: scripts/bench.sh NAME... [--json FILE] with names %s or engine for all.%n",
        reason, String.join(", ", names));
    System.exit(2);
  }

  private static void header() {
    System.out.printf(
        "%-12s %-24s %10s %-12s %-22s %10s %6s%n",
        "bench", "metric", "ours", "unit", "peer", "peer's", "ratio");
  }

  private static void row(Measurement m) {
    System.out.printf(
        "%-12s %-24s %10.1f %-12s %-22s %10.1f %6.2f%n",
        m.bench(), m.metric(), m.value(), m.unit(), m.peer(), m.peerValue(), m.ratio());
  }

  private static void write(List<Measurement> results, Path file) throws Exception {
    ObjectMapper mapper = new ObjectMapper();
    List<String> lines = new ArrayList<>();
    for (Measurement m : results) {
      ObjectNode line = mapper.createObjectNode();
      line.put("bench", m.bench())
          .put("metric", m.metric())
          .put("value", m.value())
          .put("unit", m.unit())
          .put("peer", m.peer())
          .put("peerValue", m.peerValue())
          .put("ratio", m.ratio());
      lines.add(mapper.writeValueAsString(line));
    }
    Files.write(file, lines);
  }
}

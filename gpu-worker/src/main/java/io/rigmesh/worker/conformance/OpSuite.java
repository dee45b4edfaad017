package io.rigmesh.worker.conformance;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.NonFiniteException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/// The golden vectors of the operations, and what runs them against a backend.
public final class OpSuite {
  private static final String FILE = "ops.jsonl";

  private final List<OpVector> vectors;

  private OpSuite(List<OpVector> vectors) {
    this.vectors = vectors;
  }

  /// The vectors of this build.
  public static OpSuite load() {
    List<OpVector> vectors = new ArrayList<>();
    ObjectMapper json = new ObjectMapper();
    try {
      for (String line : resource(FILE).lines().toList()) {
        vectors.add(OpVector.read(json.readTree(line)));
      }
    } catch (IOException e) {
      throw new UncheckedIOException("the conformance vectors " + FILE + " cannot be read", e);
    }
    return new OpSuite(List.copyOf(vectors));
  }

  /// How many vectors there are.
  public int size() {
    return vectors.size();
  }

  /// Runs every vector on `kernels` and tells `report` of each; gives how many failed.
  public int run(Kernels kernels, Consumer<Outcome> report) {
    int failed = 0;
    for (OpVector vector : vectors) {
      Outcome outcome = run(kernels, vector);
      report.accept(outcome);
      failed += outcome.problem().isPresent() ? 1 : 0;
    }
    return failed;
  }

  List<OpVector> vectors() {
    return vectors;
  }

  /// Runs one vector.
  static Outcome run(Kernels kernels, OpVector wanted) {
    OpVector got =
        compute(
            kernels, wanted.op(), wanted.profile(), wanted.kind(), wanted.seed(), wanted.sizes());
    if (got.equals(wanted)) {
      return new Outcome(wanted.title(), Optional.empty());
    }
    String problem =
        !got.inputs().equals(wanted.inputs())
            ? "the inputs were drawn otherwise: " + got.inputs()
            : "wanted " + wanted.line() + ", got " + got.line();
    return new Outcome(wanted.title(), Optional.of(problem));
  }

  /// Runs an operation and writes down what it gave.
  static OpVector compute(
      Kernels kernels,
      String op,
      Profile profile,
      ConformanceInputs.Kind kind,
      long seed,
      Map<String, Integer> sizes) {
    ConformanceInputs inputs = new ConformanceInputs(kind, seed);
    OpVector asked =
        new OpVector(
            op, profile, kind, seed, sizes, "", Optional.empty(), List.of(), Optional.empty());
    Optional<String> hash = Optional.empty();
    List<String> begins = List.of();
    Optional<OpVector.Fault> fault = Optional.empty();
    try {
      OpResults results = OpCatalogue.of(op).run(kernels, asked, inputs);
      hash = Optional.of(results.sha256());
      begins = results.begins();
    } catch (NonFiniteException e) {
      fault = Optional.of(new OpVector.Fault(e.op(), e.index()));
    }
    return new OpVector(op, profile, kind, seed, sizes, inputs.sha256(), hash, begins, fault);
  }

  static String resource(String name) throws IOException {
    try (InputStream in = OpSuite.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IOException("this build has no resource " + name);
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}

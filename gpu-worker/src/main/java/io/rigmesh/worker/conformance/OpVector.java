package io.rigmesh.worker.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rigmesh.protocol.Profile;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// One golden vector of an operation: what its inputs are drawn from, and what comes out.
///
/// @param op the operation, as docs/conformance.md lists it
/// @param profile its arithmetic
/// @param kind of the inputs
/// @param seed of the inputs
/// @param sizes the operation's sizes by name
/// @param inputs SHA-256 of the inputs
/// @param results SHA-256 of the results; empty where the operation has to fail
/// @param begins the bits of the first elements of the results, in hexadecimal, for who looks for a
///   fault
/// @param fault where the operation has to fail: which, and at which element
record OpVector(
    String op,
    Profile profile,
    ConformanceInputs.Kind kind,
    long seed,
    Map<String, Integer> sizes,
    String inputs,
    Optional<String> results,
    List<String> begins,
    Optional<Fault> fault) {
  private static final ObjectMapper JSON = new ObjectMapper();

  /// A failure for NaN or infinity.
  record Fault(String op, int index) {}

  OpVector {
    sizes = Map.copyOf(sizes);
    begins = List.copyOf(begins);
  }

  int size(String name) {
    Integer size = sizes.get(name);
    if (size == null) {
      throw new IllegalArgumentException("The vector of " + op + " has no size " + name + ".");
    }
    return size;
  }

  /// A short name for reports.
  String title() {
    return op
        + " "
        + profile.id()
        + " "
        + kind.name().toLowerCase(Locale.ROOT)
        + " "
        + new TreeMap<>(sizes);
  }

  static OpVector read(JsonNode json) {
    Map<String, Integer> sizes = new TreeMap<>();
    json.required("sizes").properties().forEach(e -> sizes.put(e.getKey(), e.getValue().asInt()));
    JsonNode fault = json.path("fault");
    return new OpVector(
        json.required("op").asText(),
        Profile.of(json.required("profile").asText()),
        ConformanceInputs.Kind.valueOf(
            json.required("kind").asText().toUpperCase(Locale.ROOT).replace('-', '_')),
        json.required("seed").asLong(),
        sizes,
        json.required("inputs").asText(),
        json.has("results") ? Optional.of(json.required("results").asText()) : Optional.empty(),
        json.path("begins").valueStream().map(JsonNode::asText).toList(),
        fault.isMissingNode()
            ? Optional.empty()
            : Optional.of(
                new Fault(fault.required("op").asText(), fault.required("index").asInt())));
  }

  /// One line of JSON, from which [#read] makes this again.
  String line() {
    ObjectNode json = JSON.createObjectNode();
    json.put("op", op);
    json.put("profile", profile.id());
    json.put("kind", kind.name().toLowerCase(Locale.ROOT).replace('_', '-'));
    json.put("seed", seed);
    ObjectNode all = json.putObject("sizes");
    new TreeMap<>(sizes).forEach(all::put);
    json.put("inputs", inputs);
    results.ifPresent(hash -> json.put("results", hash));
    if (!begins.isEmpty()) {
      begins.forEach(json.withArray("/begins")::add);
    }
    fault.ifPresent(f -> json.putObject("fault").put("op", f.op()).put("index", f.index()));
    return json.toString();
  }
}

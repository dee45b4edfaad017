package io.rigmesh.worker.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.bert.BertWeights;
import io.rigmesh.worker.embed.BertRunner;
import io.rigmesh.worker.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/// The golden rows and vectors of BERT encoders, and what runs them against a [BertRunner]: in
/// whatever company and order texts go through it, each gives the same (invariants I1 and I2).
public final class BertSuite {
  /// The most tokens of a pass of the suite.
  public static final int ROWS_MAX = 448;

  private static final String FILE = "bert.json";
  private static final int BATCH_MAX = 9;

  private final List<BertVectors> models;

  private BertSuite(List<BertVectors> models) {
    this.models = models;
  }

  /// Makes a runner of at least [#ROWS_MAX] tokens in a pass.
  @FunctionalInterface
  public interface Factory {
    /// Loads the weights, which are closed afterwards.
    BertRunner create(BertWeights weights, Profile profile);
  }

  /// The vectors of this build.
  public static BertSuite load() {
    List<BertVectors> models = new ArrayList<>();
    try {
      for (JsonNode model :
          new ObjectMapper().readTree(OpSuite.resource(FILE)).required("models")) {
        models.add(BertVectors.read(model));
      }
    } catch (IOException e) {
      throw new UncheckedIOException("the conformance vectors " + FILE + " cannot be read", e);
    }
    return new BertSuite(List.copyOf(models));
  }

  List<BertVectors> models() {
    return models;
  }

  /// Runs every model in every profile, or in one of them each where `extent` is short, and tells
  /// `report` of each pass; gives how many failed.
  public int run(Factory factory, StepSuite.Extent extent, Consumer<Outcome> report) {
    boolean full = extent == StepSuite.Extent.FULL;
    int failed = 0;
    for (int number = 0; number < models.size(); number++) {
      BertVectors model = models.get(number);
      for (Profile profile : Profile.values()) {
        if (!full && (profile == Profile.I8_V1) != (number % 2 == 0)) {
          continue;
        }
        try (BertWeights weights = model.weights();
            BertRunner runner = factory.create(weights, profile)) {
          for (List<Integer> pass : passes(model.texts().size(), full)) {
            Outcome outcome =
                new Outcome(
                    model.name() + " " + profile.id() + " texts " + pass,
                    problem(runner, profile, pass.stream().map(model.texts()::get).toList(), full));
            report.accept(outcome);
            failed += outcome.problem().isPresent() ? 1 : 0;
          }
        }
      }
    }
    return failed;
  }

  /// Every text alone; batches of 2 to 9, neighbours differing from batch to batch, in both orders.
  private static List<List<Integer>> passes(int texts, boolean full) {
    List<List<Integer>> passes = new ArrayList<>();
    for (int text = 0; text < (full ? texts : 1); text++) {
      passes.add(List.of(text));
    }
    for (int batch = 2; batch <= BATCH_MAX; batch++) {
      int size = batch;
      if (!full && size != 4) {
        continue;
      }
      List<Integer> pass = IntStream.range(0, size).mapToObj(i -> (i + size) % texts).toList();
      passes.add(pass);
      List<Integer> reversed = new ArrayList<>(pass);
      Collections.reverse(reversed);
      passes.add(reversed);
    }
    return passes;
  }

  private static Optional<String> problem(
      BertRunner runner, Profile profile, List<BertVectors.Text> pass, boolean full) {
    int[] ids = pass.stream().flatMap(t -> t.tokens().stream()).mapToInt(i -> i).toArray();
    int[] lengths = pass.stream().mapToInt(BertVectors.Text::length).toArray();
    Tensor states = runner.encode(ids, lengths);
    int row = 0;
    for (int i = 0; i < lengths.length; i++) {
      for (String wanted : pass.get(i).in(profile).rows()) {
        String got = BertVectors.hash(states.rows(row, row + 1));
        if (!got.equals(wanted)) {
          return Optional.of("text %d, row %d: wanted %s, got %s".formatted(i, row, wanted, got));
        }
        row++;
      }
    }
    List<BertVectors.Way> ways = BertVectors.ways();
    for (int way = full ? 0 : 1; way < (full ? ways.size() : 2); way++) {
      BertVectors.Way how = ways.get(way);
      Tensor vectors = runner.pooled(ids, lengths, how.pooling(), how.normalized());
      for (int i = 0; i < lengths.length; i++) {
        String wanted = pass.get(i).in(profile).vectors().get(way);
        String got = BertVectors.hash(vectors.rows(i, i + 1));
        if (!got.equals(wanted)) {
          return Optional.of("text %d, %s: wanted %s, got %s".formatted(i, how, wanted, got));
        }
      }
    }
    return Optional.empty();
  }
}

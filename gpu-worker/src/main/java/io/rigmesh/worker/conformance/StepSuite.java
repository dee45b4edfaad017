package io.rigmesh.worker.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.conformance.StepSchedule.Layout;
import io.rigmesh.worker.conformance.StepSchedule.Rows;
import io.rigmesh.worker.llama.LlamaWeights;
import io.rigmesh.worker.serve.StepRunner;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/// The golden rows of whole model steps, and what runs them against a [StepRunner]: every cut of a
/// text into steps, every batch and every layout of pages has to give the same rows (invariants I1
/// and I2).
public final class StepSuite {
  /// How many pages a runner needs for the suite.
  public static final int PAGES = 24;

  /// The most rows of a step of the suite.
  public static final int ROWS_MAX = 96;

  private static final String FILE = "steps.json";
  private static final int BATCH_MAX = 9;
  private static final int DECODES = 3;

  private final List<StepVectors> models;

  private StepSuite(List<StepVectors> models) {
    this.models = models;
  }

  /// Makes a runner with at least [#PAGES] pages and [#ROWS_MAX] rows and outputs.
  @FunctionalInterface
  public interface Factory {
    /// Loads the weights, which are closed afterwards.
    StepRunner create(LlamaWeights weights, Profile profile);
  }

  /// How much of the suite is run.
  public enum Extent {
    /// Every cut, batch and layout.
    FULL,
    /// A few of each, every model in one profile: for backends that are slow.
    SHORT,
    /// Invariant I2 on the smallest model, in every profile: every batch and layout, and every cut
    /// of its shortest text.
    SMALLEST_MODEL;

    /// Whether every batch and layout is run.
    boolean all() {
      return this != SHORT;
    }
  }

  /// The vectors of this build.
  public static StepSuite load() {
    List<StepVectors> models = new ArrayList<>();
    try {
      for (JsonNode model :
          new ObjectMapper().readTree(OpSuite.resource(FILE)).required("models")) {
        models.add(StepVectors.read(model));
      }
    } catch (IOException e) {
      throw new UncheckedIOException("the conformance vectors " + FILE + " cannot be read", e);
    }
    return new StepSuite(List.copyOf(models));
  }

  List<StepVectors> models() {
    return models;
  }

  /// Runs every model in every profile and tells `report` of each schedule; gives how many failed.
  public int run(Factory factory, Extent extent, Consumer<Outcome> report) {
    int failed = 0;
    for (int number = 0; number < models.size(); number++) {
      StepVectors model = models.get(number);
      for (Profile profile : Profile.values()) {
        if ((extent == Extent.SHORT && (profile == Profile.I8_V1) != (number % 2 == 0))
            || (extent == Extent.SMALLEST_MODEL && number != smallest())) {
          continue;
        }
        try (LlamaWeights weights = model.weights();
            StepRunner runner = factory.create(weights, profile)) {
          for (Outcome outcome : new Schedules(model, profile, runner, extent).run()) {
            report.accept(outcome);
            failed += outcome.problem().isPresent() ? 1 : 0;
          }
        }
      }
    }
    return failed;
  }

  private int smallest() {
    return IntStream.range(0, models.size())
        .boxed()
        .min(Comparator.comparingLong(number -> models.get(number).sizes().parameterCount()))
        .orElseThrow(() -> new IllegalStateException("the suite has no models"));
  }

  /// The schedules of one model in one profile.
  private static final class Schedules {
    private final StepVectors model;
    private final Profile profile;
    private final StepRunner runner;
    private final Extent extent;
    private final boolean full;
    private final List<Outcome> outcomes = new ArrayList<>();

    Schedules(StepVectors model, Profile profile, StepRunner runner, Extent extent) {
      this.model = model;
      this.profile = profile;
      this.runner = runner;
      this.extent = extent;
      this.full = extent == Extent.FULL;
    }

    List<Outcome> run() {
      for (Layout layout : extent.all() ? Layout.values() : new Layout[] {Layout.SCATTERED}) {
        prefill(layout);
        decode(layout);
      }
      splits();
      for (int batch = 1; batch <= BATCH_MAX; batch++) {
        if (extent.all() || batch == 4) {
          batch(batch);
        }
      }
      mixed();
      return outcomes;
    }

    private StepSchedule schedule(List<StepVectors.Sequence> streams, Layout layout) {
      return new StepSchedule(runner, profile, streams, layout);
    }

    private void done(String title, Optional<String> problem) {
      outcomes.add(new Outcome(model.name() + " " + profile.id() + " " + title, problem));
    }

    /// Every text as one chunk, alone.
    private void prefill(Layout layout) {
      for (StepVectors.Sequence sequence :
          model.sequences().subList(0, full ? model.sequences().size() : 1)) {
        StepSchedule schedule = schedule(List.of(sequence), layout);
        schedule.step(List.of(new Rows(0, sequence.length(), sequence.length())));
        done("prefill of " + sequence.length() + ", pages " + layout, schedule.problem());
      }
    }

    /// A text token by token.
    private void decode(Layout layout) {
      StepVectors.Sequence sequence = full ? model.sequences().getFirst() : shortest();
      StepSchedule schedule = schedule(List.of(sequence), layout);
      for (int position = 0; position < sequence.length(); position++) {
        schedule.step(List.of(new Rows(0, 1, 1)));
      }
      done("decode of " + sequence.length() + ", pages " + layout, schedule.problem());
    }

    private StepVectors.Sequence shortest() {
      return model.sequences().getLast();
    }

    /// A text in two chunks, split at every point; the first gives no result.
    private void splits() {
      StepVectors.Sequence sequence = full ? model.sequences().getFirst() : shortest();
      for (int split = 1; split < sequence.length(); split += extent.all() ? 1 : 3) {
        StepSchedule schedule = schedule(List.of(sequence), Layout.ASCENDING);
        schedule.step(List.of(new Rows(0, split, 0)));
        int rest = sequence.length() - split;
        schedule.step(List.of(new Rows(0, rest, rest)));
        done("split at " + split, schedule.problem());
      }
    }

    /// Texts that are prefilled one by one and decoded together; neighbours, and where their pages
    /// lie, differ from batch to batch.
    private void batch(int batch) {
      List<StepVectors.Sequence> streams =
          IntStream.range(0, batch)
              .mapToObj(i -> model.sequences().get((i + batch) % model.sequences().size()))
              .toList();
      Layout[] layouts = Layout.values();
      StepSchedule schedule =
          schedule(streams, extent.all() ? layouts[batch % layouts.length] : Layout.SCATTERED);
      for (int stream = 0; stream < batch; stream++) {
        schedule.step(List.of(new Rows(stream, schedule.left(stream) - DECODES, 1)));
      }
      for (int i = 0; i < DECODES; i++) {
        schedule.step(
            IntStream.range(0, batch).mapToObj(stream -> new Rows(stream, 1, 1)).toList());
      }
      done("batch of " + batch, schedule.problem());
    }

    /// Chunks of one text beside decodes of others.
    private void mixed() {
      StepSchedule schedule = schedule(model.sequences(), Layout.DESCENDING);
      int streams = model.sequences().size();
      for (int stream = 1; stream < streams; stream++) {
        schedule.step(List.of(new Rows(stream, schedule.left(stream) - DECODES, 0)));
      }
      for (int i = 0; i < DECODES; i++) {
        List<Rows> rows = new ArrayList<>();
        int chunk = Math.min(schedule.left(0), 5 + 3 * i);
        rows.add(new Rows(0, chunk, 2));
        for (int stream = 1; stream < streams; stream++) {
          rows.add(new Rows(stream, 1, 1));
        }
        schedule.step(rows);
      }
      done("chunks beside decodes", schedule.problem());
    }
  }
}

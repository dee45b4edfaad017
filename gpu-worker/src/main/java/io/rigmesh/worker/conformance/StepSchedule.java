package io.rigmesh.worker.conformance;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.kernels.KeyValuePages;
import io.rigmesh.worker.serve.Segment;
import io.rigmesh.worker.serve.Step;
import io.rigmesh.worker.serve.StepOutput;
import io.rigmesh.worker.serve.StepRunner;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Sequences that go through a runner side by side, in steps of any cut, over pages of any layout;
/// every row that gives a result is compared with the golden one.
final class StepSchedule {
  /// How the pages of the sequences lie in the pool.
  enum Layout {
    ASCENDING,
    DESCENDING,
    SCATTERED
  }

  /// The next rows of a stream in one step.
  record Rows(int stream, int count, int outputs) {}

  private final StepRunner runner;
  private final Profile profile;
  private final List<StepVectors.Sequence> streams;
  private final List<int[]> tables = new ArrayList<>();
  private final int[] positions;
  private Optional<String> problem = Optional.empty();

  /// @param streams the sequence of every stream; one may be there several times
  StepSchedule(
      StepRunner runner, Profile profile, List<StepVectors.Sequence> streams, Layout layout) {
    this.runner = runner;
    this.profile = profile;
    this.streams = streams;
    this.positions = new int[streams.size()];
    int perStream =
        streams.stream()
            .mapToInt(s -> KeyValuePages.pagesFor(s.length()))
            .max()
            .orElseThrow(() -> new IllegalArgumentException("no streams"));
    int pages = perStream * streams.size();
    if (pages > runner.pages()) {
      throw new IllegalArgumentException(
          pages + " pages are needed, the runner has " + runner.pages());
    }
    for (int stream = 0; stream < streams.size(); stream++) {
      int[] table = new int[perStream];
      for (int page = 0; page < perStream; page++) {
        int place = stream * perStream + page;
        table[page] =
            switch (layout) {
              case ASCENDING -> place;
              case DESCENDING -> runner.pages() - 1 - place;
              // The pages of different streams lie between each other, the later before the
              // earlier.
              case SCATTERED -> (perStream - 1 - page) * streams.size() + stream;
            };
      }
      tables.add(table);
    }
  }

  /// What was wrong first, if anything.
  Optional<String> problem() {
    return problem;
  }

  /// How many tokens of a stream have not gone through yet.
  int left(int stream) {
    return streams.get(stream).length() - positions[stream];
  }

  /// Runs one step and compares what it gives.
  void step(List<Rows> rows) {
    List<Segment> segments = new ArrayList<>();
    int[] tokens = new int[rows.stream().mapToInt(Rows::count).sum()];
    int row = 0;
    for (Rows part : rows) {
      int from = positions[part.stream()];
      segments.add(new Segment(row, part.count(), from, tables.get(part.stream()), part.outputs()));
      for (int i = 0; i < part.count(); i++) {
        tokens[row++] = streams.get(part.stream()).tokens().get(from + i);
      }
    }
    StepOutput output = runner.run(new Step(tokens, segments));
    int result = 0;
    for (Rows part : rows) {
      int end = positions[part.stream()] + part.count();
      for (int position = end - part.outputs(); position < end; position++) {
        compare(output, result++, part.stream(), position);
      }
      positions[part.stream()] = end;
    }
  }

  private void compare(StepOutput output, int result, int stream, int position) {
    String got =
        StepVectors.rowHash(
            output.hidden().rows(result, result + 1), output.logits().rows(result, result + 1));
    String wanted = streams.get(stream).row(profile, position);
    if (!got.equals(wanted) && problem.isEmpty()) {
      problem =
          Optional.of(
              "stream %d, position %d: wanted %s, got %s".formatted(stream, position, wanted, got));
    }
  }
}

package io.rigmesh.worker.ptx;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.worker.conformance.SampleVectors;
import io.rigmesh.worker.generate.Sampler;
import io.rigmesh.worker.generate.SamplingParameters;
import io.rigmesh.worker.generate.SamplingParameters.Penalties;
import io.rigmesh.worker.generate.TokenHistory;
import io.rigmesh.worker.kernels.Philox;
import io.rigmesh.worker.kernels.ScalarKernels;
import io.rigmesh.worker.llama.RandomStream;
import io.rigmesh.worker.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

/// Checks of the kernels that choose tokens. Each is run between the others, and what comes out at
/// the end is the token that [Sampler] chooses; or -1, where the host has to choose, which is
/// allowed only where it says so.
final class SamplingChecks {
  private static final int ROWS = 3;
  private static final int DRAW_WORDS = 12;
  private static final int RANKED = 256;
  private static final int BLOCK = 512;
  private static final int PIECE = 1024;
  private static final int DRAWS_MAX = 8;

  /// One token to choose.
  private record Case(int row, SamplingParameters parameters, int position, boolean mayBeHost) {}

  private SamplingChecks() {}

  static void addTo(Map<String, Consumer<KernelStage>> checks) {
    for (String entry :
        List.of("sample_scale", "sample_change", "sample_norm", "sample_blocks", "top_first")) {
      checks.put(entry, stage -> pipeline(stage, 1100));
    }
    checks.put(
        "sample_choose",
        stage -> {
          pipeline(stage, 1100);
          if (stage.kind() == Numbers.Kind.ORDINARY) {
            golden(stage);
          }
        });
    // Enough for two rounds behind the first.
    checks.put(
        "top_next", stage -> pipeline(stage, stage.kind() == Numbers.Kind.ORDINARY ? 4200 : 1100));
  }

  private static List<Case> cases(boolean wild) {
    Penalties penalties = new Penalties(1.3f, 0.4f, 0.7f);
    List<Case> cases = new ArrayList<>();
    cases.add(new Case(1, with(0.9f, 0, 1f, 0f, Penalties.NONE), 4, false));
    cases.add(new Case(0, with(0.7f, 40, 0.9f, 0f, penalties), 17, false));
    cases.add(new Case(2, with(1.5f, 256, 1f, 0.02f, penalties), 18, false));
    // All tokens are about as likely, so 256 hold far less than this.
    cases.add(new Case(0, with(100f, 0, 0.95f, 0f, Penalties.NONE), 3, true));
    cases.add(new Case(2, with(0.3f, 0, 0.4f, 0f, Penalties.NONE), 9, true));
    cases.add(new Case(1, with(0.8f, 0, 1f, 0.05f, penalties), 1000, false));
    cases.add(new Case(2, with(0f, 0, 1f, 0f, penalties), 5, false));
    return wild ? cases.subList(0, 3) : cases;
  }

  private static SamplingParameters with(
      float temperature, int topK, float topP, float minP, Penalties penalties) {
    return new SamplingParameters(
        temperature,
        topK,
        topP,
        minP,
        penalties,
        penalties.isNone() ? new TreeMap<>() : new TreeMap<>(Map.of(3, 2.5f, 700, -1f)),
        77);
  }

  private static void pipeline(KernelStage stage, int cols) {
    boolean overflows = stage.kind() == Numbers.Kind.OVERFLOWING;
    List<Case> cases = cases(stage.kind() != Numbers.Kind.ORDINARY);
    Tensor logits = stage.numbers().matrix(ROWS, cols);
    if (overflows) {
      // Divided by the temperature of the second draw, this is infinite.
      logits.set(cols - 1, 3e38f);
    }
    TokenHistory history = TokenHistory.of(new int[] {3, 4, 5});
    history.add(4);
    history.add(4);
    history.add(cols - 2);
    Object[] tokens = run(stage, logits, cases, history);
    for (int i = 0; i < cases.size(); i++) {
      Case one = cases.get(i);
      int token = (Integer) tokens[i];
      if (token < 0) {
        assertThat(one.mayBeHost() || overflows)
            .as("%s: draw %d is left to the host", stage.entry(), i)
            .isTrue();
      } else {
        Tensor row = logits.rows(one.row(), one.row() + 1);
        assertThat(token)
            .as("%s, %s: draw %d", stage.entry(), stage.kind(), i)
            .isEqualTo(
                new Sampler(new ScalarKernels(), cols)
                    .token(row, one.parameters(), history, one.position()));
      }
    }
    if (overflows) {
      assertThat(tokens[1]).as("an infinite value").isEqualTo(-1);
    }
    if (stage.kind() == Numbers.Kind.ORDINARY) {
      assertThat(tokens[3]).as("more candidates than are ranked").isEqualTo(-1);
      assertThat(tokens[4]).as("few candidates reach topP").isNotEqualTo(-1);
    }
  }

  /// The conformance suite's vectors; what the device leaves to the host is chosen there.
  private static void golden(KernelStage stage) {
    int byDevice = 0;
    for (SampleVectors.Sample vector : SampleVectors.all()) {
      int rows = vector.logits().rowCount();
      if (vector.parameters().topK() > RANKED || rows > DRAWS_MAX) {
        continue;
      }
      List<Case> cases = new ArrayList<>();
      for (int row = 0; row < rows; row++) {
        cases.add(new Case(row, vector.parameters(), vector.firstPosition() + row, true));
      }
      Object[] chosen = run(stage, vector.logits(), cases, vector.history());
      int[] tokens = new int[rows];
      for (int row = 0; row < rows; row++) {
        tokens[row] = (Integer) chosen[row];
        if (tokens[row] < 0) {
          tokens[row] =
              new Sampler(new ScalarKernels(), vector.logits().cols())
                  .token(
                      vector.logits().rows(row, row + 1),
                      vector.parameters(),
                      vector.history(),
                      vector.firstPosition() + row);
        } else {
          byDevice++;
        }
      }
      assertThat(vector.gives(tokens)).as(vector.title()).isTrue();
    }
    assertThat(byDevice).isGreaterThan(80);
  }

  private static Object[] run(
      KernelStage stage, Tensor logits, List<Case> cases, TokenHistory history) {
    int cols = logits.cols();
    int count = cases.size();
    // A block more than there are draws, which must do nothing.
    int blocks = count + 1;
    int pieces = (cols + BLOCK - 1) / BLOCK;
    List<Integer> changes = new ArrayList<>();
    int[] words = new int[count * DRAW_WORDS];
    for (int i = 0; i < count; i++) {
      write(cases.get(i), history, words, i * DRAW_WORDS, changes);
    }
    if (changes.isEmpty()) {
      // No draw looks at this; a buffer has to have a length.
      changes.add(0);
    }
    DeviceBuffer draws = stage.ints("draws", words);
    DeviceBuffer changed =
        stage.ints("changes", changes.stream().mapToInt(Integer::intValue).toArray());
    DeviceBuffer live = stage.ints("count", count);
    DeviceBuffer tokens = stage.ints("tokens", new int[count]);
    DeviceBuffer best = stage.bytes("best", new byte[8 * count]);
    DeviceBuffer source = stage.floats("logits", logits);
    DeviceBuffer z = stage.unwritten("z", 4 * count * cols);
    DeviceBuffer norms = stage.unwritten("norms", 8 * count);
    DeviceBuffer totals = stage.unwritten("totals", 4 * count * pieces);
    launch(
        stage, "sample_scale", new Extent(blocks, 2, 1), 256, source, cols, draws, live, z, tokens);
    launch(
        stage,
        "sample_change",
        new Extent(blocks, 2, 1),
        256,
        source,
        cols,
        draws,
        changed,
        live,
        z,
        tokens);
    launch(stage, "argmax", new Extent(blocks, 2, 1), 256, z, best, live, cols);
    launch(stage, "sample_norm", Extent.of(blocks), 256, z, cols, draws, best, live, norms);
    launch(
        stage,
        "sample_blocks",
        new Extent(blocks, pieces, 1),
        128,
        z,
        cols,
        draws,
        best,
        live,
        norms,
        totals);
    int keys = (cols + PIECE - 1) / PIECE * RANKED;
    int stride = keys + 3;
    DeviceBuffer ranks = stage.unwritten("keys", 8 * count * stride);
    launch(
        stage,
        "top_first",
        new Extent(blocks, keys / RANKED, 1),
        512,
        z,
        cols,
        draws,
        live,
        ranks,
        stride);
    while (keys > RANKED) {
      int left = (keys + PIECE - 1) / PIECE * RANKED;
      int nextStride = left + 1;
      DeviceBuffer next = stage.unwritten("next keys", 8 * count * nextStride);
      launch(
          stage,
          "top_next",
          new Extent(blocks, left / RANKED, 1),
          512,
          ranks,
          stride,
          keys,
          draws,
          live,
          next,
          nextStride);
      ranks = next;
      stride = nextStride;
      keys = left;
    }
    launch(
        stage,
        "sample_choose",
        Extent.of(blocks),
        256,
        z,
        cols,
        draws,
        best,
        live,
        norms,
        totals,
        ranks,
        stride,
        tokens);
    Object[] chosen = new Object[count];
    float[] raw = stage.read(tokens, 0, count);
    for (int i = 0; i < count; i++) {
      chosen[i] = Float.floatToRawIntBits(raw[i]);
    }
    return chosen;
  }

  private static void launch(
      KernelStage stage, String entry, Extent grid, int threads, Object... arguments) {
    stage.launch(entry, grid, threads, 0, arguments);
  }

  private static void write(
      Case one, TokenHistory history, int[] words, int at, List<Integer> changes) {
    SamplingParameters parameters = one.parameters();
    boolean greedy = parameters.temperature() == 0f;
    words[at] = one.row();
    words[at + 1] = bits(greedy ? 1f : 1f / parameters.temperature());
    words[at + 2] =
        bits(
            greedy
                ? -1f
                : Philox.uniform(parameters.seed(), RandomStream.SAMPLING.lane(0), one.position()));
    words[at + 3] = parameters.topK();
    words[at + 4] = bits(parameters.topP());
    words[at + 5] = bits(parameters.minP());
    words[at + 6] = changes.size() / 4;
    Map<Integer, int[]> all = new TreeMap<>();
    parameters.bias().forEach((id, bias) -> all.put(id, new int[] {id, 1, bits(bias), 0}));
    if (!parameters.penalties().isNone()) {
      history.forEach((id, generated) -> {
        int[] change = all.computeIfAbsent(id, ignored -> new int[] {id, 0, 0, 0});
        change[1] |= 2;
        change[3] = generated;
      });
    }
    all.values()
        .forEach(change -> {
          for (int word : change) {
            changes.add(word);
          }
        });
    words[at + 7] = all.size();
    words[at + 8] = bits(parameters.penalties().repetition());
    words[at + 9] = bits(parameters.penalties().frequency());
    words[at + 10] = bits(parameters.penalties().presence());
  }

  private static int bits(float value) {
    return Float.floatToRawIntBits(value);
  }
}

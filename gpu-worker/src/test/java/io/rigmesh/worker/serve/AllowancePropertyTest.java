package io.rigmesh.worker.serve;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.generate.GeneratedToken;
import io.rigmesh.worker.generate.GenerationRequest;
import io.rigmesh.worker.generate.SamplingParameters;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.vector.VectorKernels;
import io.rigmesh.worker.llama.LlamaConfig;
import io.rigmesh.worker.llama.LlamaFixtures;
import io.rigmesh.worker.llama.LlamaParameters;
import io.rigmesh.worker.serve.SequenceRequest.Mode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.lifecycle.AfterProperty;
import net.jqwik.api.lifecycle.BeforeProperty;

/// Sequences that may only go as far as they are allowed, whenever they are allowed more.
class AllowancePropertyTest {
  private static final LlamaConfig CONFIG =
      LlamaFixtures.config(97, 36, 2, 6, 2, 10, 52, 300, true);
  private static final LlamaParameters PARAMETERS = LlamaFixtures.lively(CONFIG, 21);
  private static final int TOKENS = 18;
  private static final int SEQUENCES = 3;

  private Kernels kernels;
  private Engine engine;
  private final List<SequenceRequest> requests = new ArrayList<>();
  private final List<List<GeneratedToken>> undisturbed = new ArrayList<>();

  @BeforeProperty
  void runUndisturbed() throws InterruptedException {
    kernels = new VectorKernels(1);
    engine =
        new Engine(
            Runners.cpu(kernels, PARAMETERS, Profile.F32_V1, 60, 32),
            kernels,
            new EngineLimits(4, 8, 24, 1_000, false));
    requests.clear();
    undisturbed.clear();
    for (int i = 0; i < SEQUENCES; i++) {
      SequenceRequest request =
          SequenceRequest.of(
              new GenerationRequest(
                  prompt(4 + 30 * i),
                  i == 0 ? SamplingParameters.greedy() : new SamplingParameters(0.9f, 0, 1f, i),
                  TOKENS,
                  Set.of()));
      requests.add(request);
      TokenStream stream = engine.submit(request);
      undisturbed.add(take(stream, TOKENS));
      assertThat(stream.next()).isInstanceOf(SequenceEvent.Ended.class);
    }
  }

  @AfterProperty
  void close() {
    engine.close();
    kernels.close();
  }

  /// @param raises which sequence may use how many tokens more, in this order
  /// @param known how many tokens of an earlier run each sequence begins with
  @Property(tries = 30)
  void aSequenceNeverComputesBeyondItsAllowanceAndGivesTheSameBitsWheneverItIsRaised(
      @ForAll @Size(max = 12) List<@IntRange(min = 0, max = 20) Integer> raises,
      @ForAll @IntRange(min = 0, max = 9) int known)
      throws InterruptedException {
    List<TokenStream> streams = new ArrayList<>();
    List<List<GeneratedToken>> got = new ArrayList<>();
    long[] allowed = new long[SEQUENCES];
    long rowsBefore = engine.stats().rows();
    for (int i = 0; i < SEQUENCES; i++) {
      streams.add(engine.submit(allowedNothing(i, known)));
      got.add(new ArrayList<>());
    }
    for (int raise : raises) {
      int one = raise % SEQUENCES;
      allowed[one] = Math.min(TOKENS, allowed[one] + raise / SEQUENCES);
      streams.get(one).allow(allowed[one]);
      // Less than it is allowed already takes nothing away.
      streams.get(one).allow(allowed[one] / 2);
      // All that it is allowed comes.
      got.get(one).addAll(take(streams.get(one), (int) allowed[one] - got.get(one).size()));
      assertStandsStill(streams, allowed, rowsBefore);
    }
    for (int i = 0; i < SEQUENCES; i++) {
      streams.get(i).allow(SequenceRequest.UNLIMITED);
      got.get(i).addAll(take(streams.get(i), TOKENS - got.get(i).size()));
      assertSame(got.get(i), undisturbed.get(i));
    }
    for (int i = 0; i < SEQUENCES; i++) {
      if (allowed[i] < TOKENS) {
        assertThat(streams.get(i).next()).isInstanceOf(SequenceEvent.Ended.class);
      }
    }
  }

  /// Has another sequence go to its end, after which the engine has had every chance to compute
  /// what it must not.
  private void assertStandsStill(List<TokenStream> streams, long[] allowed, long rowsBefore)
      throws InterruptedException {
    SequenceRequest other =
        SequenceRequest.of(
            new GenerationRequest(prompt(2), SamplingParameters.greedy(), 3, Set.of()));
    TokenStream stream = engine.submit(other);
    take(stream, 3);
    assertThat(stream.next()).isInstanceOf(SequenceEvent.Ended.class);
    othersRows += 4;
    long rows = 0;
    for (int i = 0; i < SEQUENCES; i++) {
      if (allowed[i] < TOKENS) {
        assertThat(streams.get(i).poll(0)).isEmpty();
      }
      int prompt = requests.get(i).generation().prompt().size();
      rows += allowed[i] == 0 ? 0 : prompt - 1 + allowed[i];
    }
    assertThat(engine.stats().rows() - rowsBefore - othersRows).isEqualTo(rows);
  }

  private long othersRows;

  private SequenceRequest allowedNothing(int sequence, int known) {
    othersRows = 0;
    SequenceRequest request = requests.get(sequence);
    int[] tokens =
        undisturbed.get(sequence).stream().limit(known).mapToInt(GeneratedToken::tokenId).toArray();
    return new SequenceRequest(
        request.generation(), tokens, Mode.GENERATE, -1, request.scope(), OptionalLong.empty(), 0);
  }

  private static List<GeneratedToken> take(TokenStream stream, int count)
      throws InterruptedException {
    List<GeneratedToken> tokens = new ArrayList<>();
    while (tokens.size() < count) {
      Optional<SequenceEvent> event = stream.poll(30_000);
      assertThat(event).isPresent();
      tokens.add(((SequenceEvent.Token) event.get()).token());
    }
    return tokens;
  }

  private static void assertSame(List<GeneratedToken> actual, List<GeneratedToken> expected) {
    assertThat(actual).hasSameSizeAs(expected);
    for (int i = 0; i < actual.size(); i++) {
      assertThat(actual.get(i).position()).isEqualTo(expected.get(i).position());
      assertThat(actual.get(i).tokenId()).isEqualTo(expected.get(i).tokenId());
      assertThat(actual.get(i).hiddenStateBytes()).isEqualTo(expected.get(i).hiddenStateBytes());
    }
  }

  private static List<Integer> prompt(int length) {
    return Arrays.stream(LlamaFixtures.tokens(length, CONFIG.vocabularySize(), 1)).boxed().toList();
  }
}

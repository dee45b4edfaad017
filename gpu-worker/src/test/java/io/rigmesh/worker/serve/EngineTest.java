package io.rigmesh.worker.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.protocol.Digests;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.generate.Ending;
import io.rigmesh.worker.generate.FinishReason;
import io.rigmesh.worker.generate.GeneratedToken;
import io.rigmesh.worker.generate.GenerationRequest;
import io.rigmesh.worker.generate.SamplingParameters;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.ScalarKernels;
import io.rigmesh.worker.kernels.vector.VectorKernels;
import io.rigmesh.worker.llama.LlamaConfig;
import io.rigmesh.worker.llama.LlamaFixtures;
import io.rigmesh.worker.llama.LlamaLoss;
import io.rigmesh.worker.llama.LlamaParameters;
import io.rigmesh.worker.serve.SequenceRequest.Mode;
import io.rigmesh.worker.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class EngineTest {
  private static final LlamaConfig CONFIG =
      LlamaFixtures.config(97, 36, 2, 6, 2, 10, 52, 300, true);
  private static final LlamaParameters PARAMETERS = LlamaFixtures.lively(CONFIG, 21);
  private static final SamplingParameters GREEDY = SamplingParameters.greedy();
  private static final SamplingParameters SAMPLED =
      new SamplingParameters(
          0.9f,
          40,
          0.95f,
          0.01f,
          new SamplingParameters.Penalties(1.1f, 0.2f, 0.1f),
          new TreeMap<>(Map.of(3, -2f, 5, 1.5f)),
          99);
  private static final EngineLimits ALONE = new EngineLimits(1, 64, 64, 1_000, false);

  /// This thread's; engines compute meanwhile, so each has kernels of its own.
  private final Kernels kernels = new VectorKernels(1);

  private final List<Kernels> engineKernels = new ArrayList<>();
  private final List<Engine> engines = new ArrayList<>();

  /// What a sequence gave.
  private record Outcome(List<GeneratedToken> tokens, Ending ending) {
    int[] ids() {
      return tokens.stream().mapToInt(GeneratedToken::tokenId).toArray();
    }
  }

  @AfterEach
  void close() {
    engines.forEach(Engine::close);
    engineKernels.forEach(Kernels::close);
    kernels.close();
  }

  private Engine engine(EngineLimits limits, int pages, int rowsMax, Profile profile) {
    Kernels own = new VectorKernels(1);
    engineKernels.add(own);
    Engine engine = new Engine(Runners.cpu(own, PARAMETERS, profile, pages, rowsMax), own, limits);
    engines.add(engine);
    return engine;
  }

  private Engine engine(EngineLimits limits) {
    return engine(limits, 200, 64, Profile.F32_V1);
  }

  @Test
  void greedyTokensAreTheArgmaxOfAFullForwardPassOverWhatCameBefore() {
    Outcome outcome = run(engine(ALONE), request(7, GREEDY, 12));
    int[] sequence = sequence(7, outcome.ids());
    for (GeneratedToken token : outcome.tokens()) {
      int[] before = Arrays.copyOf(sequence, token.position());
      LlamaLoss loss = new LlamaLoss(kernels, CONFIG, 1, before.length);
      loss.evaluate(PARAMETERS, before, before);
      Tensor last = loss.logits().rows(before.length - 1, before.length);
      assertThat(token.tokenId()).isEqualTo(kernels.argmax(last)[0]);
    }
    assertThat(outcome.tokens())
        .extracting(GeneratedToken::position)
        .containsExactlyElementsOf(IntStream.range(7, 19).boxed().toList());
    assertThat(outcome.ending()).isEqualTo(new Ending(12, FinishReason.TOKENS_MAX));
  }

  @ParameterizedTest
  @EnumSource(Profile.class)
  void whatASequenceGivesIsTheSameWhateverElseRuns(Profile profile) throws InterruptedException {
    List<SequenceRequest> requests = new ArrayList<>();
    for (int i = 0; i < 9; i++) {
      requests.add(request(5 + 37 * (i % 4), i % 2 == 0 ? SAMPLED : GREEDY, 6 + i));
    }
    List<Outcome> alone = new ArrayList<>();
    Engine one = engine(ALONE, 40, 300, profile);
    for (SequenceRequest request : requests) {
      alone.add(run(one, request));
    }
    for (EngineLimits limits :
        List.of(
            new EngineLimits(9, 64, 64, 1_000, true),
            new EngineLimits(3, 64, 7, 1_000, true),
            new EngineLimits(9, 64, 9, 2, false))) {
      Engine shared = engine(limits, 40, 64, profile);
      for (int round = 0; round < 2; round++) {
        List<TokenStream> streams = requests.stream().map(shared::submit).toList();
        // A neighbour that is cancelled while it runs, so long that it cannot end before.
        TokenStream cancelled = shared.submit(request(40, SAMPLED, 250));
        for (int i = 0; i < requests.size(); i++) {
          assertSame(read(streams.get(i)), alone.get(i));
          cancelled.close();
        }
        // On a machine that stood still here it has ended all the same.
        assertThat(read(cancelled).ending().reason())
            .isIn(FinishReason.CANCELLED, FinishReason.TOKENS_MAX);
      }
      assertThat(shared.stats().pagesHeld()).isZero();
      assertThat(shared.stats().promptTokensShared() > 0).isEqualTo(limits.prefixCache());
    }
  }

  @Test
  void oneStepServesManySequences() {
    Engine engine = engine(new EngineLimits(8, 64, 64, 1_000, true));
    List<TokenStream> streams = new ArrayList<>();
    // The first keeps the engine busy until the others are there, too.
    for (int i = 0; i < 8; i++) {
      streams.add(engine.submit(request(3, new SamplingParameters(1f, 0, 1f, i), 100)));
    }
    streams.forEach(EngineTest::read);
    assertThat(engine.stats().rows()).isEqualTo(8 * (3 + 99));
    // One after the other they take 800; whoever comes late on a busy machine adds to the least.
    assertThat(engine.stats().steps()).isLessThan(700);
  }

  @Test
  void equalBeginningsOfOneScopeAreComputedOnceAndOfAnotherScopeAgain() {
    Engine engine = engine(new EngineLimits(2, 64, 64, 1_000, true));
    Outcome first = run(engine, request(100, SAMPLED, 5));
    assertThat(engine.stats().promptTokensShared()).isZero();
    assertSame(run(engine, request(100, SAMPLED, 5)), first);
    assertThat(engine.stats().promptTokensShared()).isEqualTo(96);
    Hash other = Digests.sha256(new byte[] {1});
    SequenceRequest elsewhere =
        new SequenceRequest(
            generation(100, SAMPLED, 5),
            new int[0],
            Mode.GENERATE,
            -1,
            other,
            OptionalLong.empty());
    assertSame(run(engine, elsewhere), first);
    assertThat(engine.stats().promptTokensShared()).isEqualTo(96);
    // A prompt of whole pages: its last row is computed, since the first token comes from it.
    assertSame(run(engine, request(64, SAMPLED, 5)), run(engine(ALONE), request(64, SAMPLED, 5)));
    assertThat(engine.stats().promptTokensShared()).isEqualTo(96 + 32);
  }

  @Test
  void generatedTokensServeTheNextPromptThatContinuesThem() {
    Engine engine = engine(new EngineLimits(2, 64, 64, 1_000, true));
    Outcome first = run(engine, request(20, GREEDY, 60));
    int[] dialogue = sequence(20, first.ids());
    SequenceRequest next =
        SequenceRequest.of(
            new GenerationRequest(Arrays.stream(dialogue).boxed().toList(), GREEDY, 4, Set.of()));
    Outcome second = run(engine, next);
    assertThat(engine.stats().promptTokensShared()).isEqualTo(64);
    assertSame(second, run(engine(ALONE), next));
  }

  @Test
  void pagesOfEarlierPromptsGiveWayAndComeBackRight() {
    Engine engine = engine(new EngineLimits(2, 64, 64, 1_000, true), 8, 64, Profile.F32_V1);
    Engine reference = engine(ALONE);
    for (int i = 0; i < 12; i++) {
      SequenceRequest request =
          SequenceRequest.of(
              new GenerationRequest(prompt(70 + i % 3, 40 + i % 4), SAMPLED, 40, Set.of()));
      assertSame(run(engine, request), run(reference, request));
    }
  }

  @ParameterizedTest
  @EnumSource(Profile.class)
  void onePrefillRecomputesEveryTokenAndHiddenStateToTheBit(Profile profile) {
    for (SamplingParameters sampling : List.of(GREEDY, SAMPLED)) {
      SequenceRequest request = request(45, sampling, 50);
      Engine engine = engine(ALONE, 40, 64, profile);
      Outcome outcome = run(engine, request);
      long steps = engine.stats().steps();
      assertSame(
          run(engine, request.withKnown(outcome.ids(), Mode.REPLAY)),
          new Outcome(outcome.tokens(), new Ending(50, FinishReason.CLAIM_ENDED)));
      assertThat(engine.stats().steps() - steps).isEqualTo(2);
      Engine slow = engine(new EngineLimits(1, 1, 5, 1_000, false), 40, 64, profile);
      assertSame(
          run(slow, request.withKnown(Arrays.copyOf(outcome.ids(), 30), Mode.REPLAY)),
          new Outcome(outcome.tokens().subList(0, 30), new Ending(30, FinishReason.CLAIM_ENDED)));
    }
  }

  @Test
  void aReplayOfATamperedStreamDiffersFromTheTamperedTokenOn() {
    SequenceRequest request = request(7, SAMPLED, 20);
    Outcome outcome = run(engine(ALONE), request);
    int[] claimed = outcome.ids();
    claimed[9] = (claimed[9] + 1) % CONFIG.vocabularySize();
    List<GeneratedToken> replayed =
        run(engine(ALONE), request.withKnown(claimed, Mode.REPLAY)).tokens();
    assertSame(replayed.subList(0, 10), outcome.tokens().subList(0, 10));
    assertThat(replayed.get(9).tokenId()).isNotEqualTo(claimed[9]);
    assertThat(replayed.get(10).hiddenStateBytes())
        .isNotEqualTo(outcome.tokens().get(10).hiddenStateBytes());
  }

  @Test
  void aGenerationGoesOnFromKnownTokensAsFarAsTheModelChoosesThem() {
    for (SamplingParameters sampling : List.of(GREEDY, SAMPLED)) {
      SequenceRequest request = request(20, sampling, 90);
      Outcome whole = run(engine(ALONE), request);
      Engine engine = engine(new EngineLimits(1, 4, 64, 1_000, true));
      for (int known : new int[] {1, 45, 89, 90}) {
        int[] ids = Arrays.copyOf(whole.ids(), known);
        assertSame(run(engine, request.withKnown(ids, Mode.GENERATE)), whole);
      }
      for (int wrong : new int[] {0, 11, 12, 13, 44, 60}) {
        int[] ids = Arrays.copyOf(whole.ids(), 70);
        ids[wrong] = (ids[wrong] + 1) % CONFIG.vocabularySize();
        assertSame(run(engine, request.withKnown(ids, Mode.GENERATE)), whole);
      }
      // What was computed for wrong tokens must not serve anyone.
      assertSame(run(engine, request), whole);
    }
  }

  @Test
  void aStopTokenIsHandedOverAndEndsTheText() {
    Outcome free = run(engine(ALONE), request(7, SAMPLED, 20));
    int stop = free.ids()[6];
    int first = IntStream.range(0, 20).filter(i -> free.ids()[i] == stop).findFirst().orElseThrow();
    GenerationRequest generation = new GenerationRequest(prompt(7, 1), SAMPLED, 20, Set.of(stop));
    assertSame(
        run(engine(ALONE), SequenceRequest.of(generation)),
        new Outcome(
            free.tokens().subList(0, first + 1), new Ending(first + 1, FinishReason.STOP_TOKEN)));
    assertThat(generation.ending(free.ids(), 300))
        .contains(new Ending(first + 1, FinishReason.STOP_TOKEN));
    assertThat(generation.ending(Arrays.copyOf(free.ids(), first), 300)).isEmpty();
  }

  @Test
  void aFullContextEndsTheText() {
    Outcome outcome = run(engine(ALONE), request(280, SAMPLED, 1_000));
    assertThat(outcome.ending()).isEqualTo(new Ending(20, FinishReason.CONTEXT_FULL));
    assertThat(outcome.tokens().getLast().position()).isEqualTo(299);
  }

  @Test
  void logprobsAreOfTheModelsOwnDistribution() throws InterruptedException {
    SequenceRequest request =
        new SequenceRequest(
            generation(7, SAMPLED, 5),
            new int[0],
            Mode.GENERATE,
            20,
            Hash.ZERO,
            OptionalLong.empty());
    TokenStream stream = engine(ALONE).submit(request);
    int[] sequence = sequence(7, run(engine(ALONE), request).ids());
    for (int i = 0; i < 5; i++) {
      var token = (SequenceEvent.Token) stream.next();
      int[] before = Arrays.copyOf(sequence, 7 + i);
      LlamaLoss loss = new LlamaLoss(kernels, CONFIG, 1, before.length);
      loss.evaluate(PARAMETERS, before, before);
      Tensor logits = loss.logits().rows(before.length - 1, before.length);
      var logprobs = token.logprobs().orElseThrow();
      assertThat(logprobs.likeliest()).hasSize(20);
      assertThat(logprobs.likeliest().getFirst().tokenId()).isEqualTo(kernels.argmax(logits)[0]);
      for (var entry : logprobs.likeliest()) {
        float loss0 = kernels.crossEntropy(logits, new int[] {entry.tokenId()}, -1);
        assertThat(entry.logprob()).isEqualTo(0f - loss0);
      }
      assertThat(logprobs.chosen())
          .isEqualTo(0f - kernels.crossEntropy(logits, new int[] {token.token().tokenId()}, -1));
    }
  }

  @Test
  void aSequenceWhoseReaderIsSlowRestsAndHoldsNobodyUp() throws InterruptedException {
    Engine engine = engine(new EngineLimits(2, 64, 64, 3, true));
    TokenStream slow = engine.submit(request(7, SAMPLED, 50));
    Outcome other = run(engine, request(9, SAMPLED, 200));
    assertThat(other.ending().tokens()).isEqualTo(200);
    assertThat(engine.stats().running()).isEqualTo(1);
    assertSame(read(slow), run(engine(ALONE), request(7, SAMPLED, 50)));
  }

  @Test
  void aDeadlineEndsASequenceAndFreesItsPages() {
    Engine engine = engine(new EngineLimits(1, 64, 64, 1_000, true));
    SequenceRequest late =
        new SequenceRequest(
            generation(7, SAMPLED, 50),
            new int[0],
            Mode.GENERATE,
            -1,
            Hash.ZERO,
            OptionalLong.of(System.nanoTime()));
    assertThat(run(engine, late).ending()).isEqualTo(new Ending(0, FinishReason.DEADLINE));
    assertThat(engine.stats().pagesHeld()).isZero();
  }

  @Test
  void whatCanNeverFitIsRefusedAndWhatCannotFitNowWaits() throws InterruptedException {
    Engine engine = engine(new EngineLimits(4, 2, 64, 1_000, true), 4, 64, Profile.F32_V1);
    assertThatThrownBy(() -> engine.submit(request(100, GREEDY, 100)))
        .isInstanceOfSatisfying(
            EngineException.class,
            e -> assertThat(e.reason()).isEqualTo(EngineException.Reason.TOO_LONG))
        .hasMessageContaining("7 pages of 32 tokens, and this engine has 4");
    List<TokenStream> streams = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      SequenceRequest request = request(90, new SamplingParameters(1f, 0, 1f, i), 20);
      TokenStream stream = null;
      while (stream == null) {
        try {
          stream = engine.submit(request);
        } catch (EngineException e) {
          assertThat(e.reason()).isEqualTo(EngineException.Reason.BUSY);
          read(streams.removeFirst());
        }
      }
      streams.add(stream);
    }
    streams.forEach(EngineTest::read);
    assertThat(engine.stats().pagesHeld()).isZero();
  }

  @Test
  void requestsThatDoNotFitTheModelAreRefused() {
    Engine engine = engine(ALONE);
    assertThatThrownBy(() -> engine.submit(request(300, GREEDY, 5)))
        .hasMessageContaining("300 tokens, but at most 299");
    assertThatThrownBy(
            () -> engine.submit(request(7, GREEDY, 5).withKnown(new int[6], Mode.REPLAY)))
        .hasMessageContaining("6 tokens are claimed");
    assertThatThrownBy(() ->
            engine.submit(
                SequenceRequest.of(new GenerationRequest(List.of(97), GREEDY, 5, Set.of()))))
        .hasMessageContaining("no token 97");
    assertThatThrownBy(() -> new GenerationRequest(List.of(), GREEDY, 1, Set.of()))
        .hasMessageContaining("at least one token");
    assertThatThrownBy(() -> new GenerationRequest(List.of(1), GREEDY, 0, Set.of()))
        .hasMessageContaining("tokensMax=0");
  }

  @Test
  void aSequenceWhoseNumbersOverflowFailsAlone() throws InterruptedException {
    LlamaParameters broken =
        LlamaFixtures.lively(LlamaFixtures.config(97, 36, 2, 6, 2, 10, 52, 300, false), 21);
    // One token's embedding is out of range, and no other token reads it.
    for (int c = 0; c < CONFIG.hiddenSize(); c++) {
      broken.embedding().set(13 * CONFIG.hiddenSize() + c, 3e38f);
    }
    Engine engine =
        new Engine(
            Runners.cpu(new ScalarKernels(), broken, Profile.F32_V1, 40, 64),
            kernels,
            new EngineLimits(4, 8, 64, 1_000, true));
    engines.add(engine);
    SequenceRequest good =
        SequenceRequest.of(new GenerationRequest(List.of(1, 2, 3), GREEDY, 30, Set.of()));
    Outcome expected = run(engine, good);
    TokenStream first = engine.submit(good);
    TokenStream bad =
        engine.submit(
            SequenceRequest.of(new GenerationRequest(List.of(1, 13, 3), GREEDY, 30, Set.of())));
    TokenStream second = engine.submit(good);
    assertThat(bad.next())
        .isInstanceOfSatisfying(
            SequenceEvent.Failed.class,
            failed -> assertThat(failed.cause()).hasMessageContaining("rmsNorm"));
    assertSame(read(first), expected);
    assertSame(read(second), expected);
    assertThat(engine.stats().pagesHeld()).isZero();
  }

  @Test
  void closingEndsWhatRunsAndWhatWaits() throws InterruptedException {
    Engine engine = engine(new EngineLimits(1, 64, 64, 1, true));
    TokenStream runs = engine.submit(request(7, GREEDY, 90));
    TokenStream waits = engine.submit(request(8, GREEDY, 90));
    runs.next();
    engine.close();
    SequenceEvent last = runs.next();
    while (last instanceof SequenceEvent.Token) {
      last = runs.next();
    }
    assertThat(last).isInstanceOf(SequenceEvent.Failed.class);
    assertThat(waits.next()).isInstanceOf(SequenceEvent.Failed.class);
    assertThatThrownBy(() -> engine.submit(request(7, GREEDY, 1)))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("closed");
    assertThatThrownBy(waits::next).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void manySequencesThatComeGoAndAreCancelledAtRandomGiveTheirOwnBits()
      throws InterruptedException {
    Random random = new Random(5);
    Engine reference = engine(ALONE, 40, 64, Profile.F32_V1);
    Engine engine = engine(new EngineLimits(6, 64, 24, 4, true), 24, 64, Profile.F32_V1);
    List<SequenceRequest> requests = new ArrayList<>();
    List<TokenStream> streams = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      SequenceRequest request =
          SequenceRequest.of(
              new GenerationRequest(
                  prompt(1 + random.nextInt(110), random.nextInt(2)),
                  new SamplingParameters(1f, 0, 1f, i % 7),
                  1 + random.nextInt(20),
                  Set.of()));
      requests.add(request);
      streams.add(engine.submit(request));
      if (random.nextInt(4) == 0) {
        streams.get(random.nextInt(streams.size())).close();
      }
    }
    for (int i = 0; i < requests.size(); i++) {
      Outcome outcome = read(streams.get(i));
      Outcome expected = run(reference, requests.get(i));
      if (outcome.ending().reason() == FinishReason.CANCELLED) {
        assertSame(outcome.tokens(), expected.tokens().subList(0, outcome.tokens().size()));
      } else {
        assertSame(outcome, expected);
      }
    }
    assertThat(engine.stats().pagesHeld()).isZero();
  }

  private static List<Integer> prompt(int length, int seed) {
    return Arrays.stream(LlamaFixtures.tokens(length, CONFIG.vocabularySize(), seed))
        .boxed()
        .toList();
  }

  private static GenerationRequest generation(
      int promptLength, SamplingParameters sampling, int tokensMax) {
    return new GenerationRequest(prompt(promptLength, 1), sampling, tokensMax, Set.of());
  }

  private static SequenceRequest request(
      int promptLength, SamplingParameters sampling, int tokensMax) {
    return SequenceRequest.of(generation(promptLength, sampling, tokensMax));
  }

  private static int[] sequence(int promptLength, int[] generated) {
    return IntStream.concat(
            prompt(promptLength, 1).stream().mapToInt(Integer::intValue), Arrays.stream(generated))
        .toArray();
  }

  private static Outcome run(Engine engine, SequenceRequest request) {
    return read(engine.submit(request));
  }

  private static Outcome read(TokenStream stream) {
    List<GeneratedToken> tokens = new ArrayList<>();
    try {
      while (true) {
        switch (stream.next()) {
          case SequenceEvent.Token(var token, var _) -> tokens.add(token);
          case SequenceEvent.Ended(var ending) -> {
            return new Outcome(tokens, ending);
          }
          case SequenceEvent.Failed(var cause) -> throw cause;
        }
      }
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static void assertSame(Outcome actual, Outcome expected) {
    assertSame(actual.tokens(), expected.tokens());
    assertThat(actual.ending()).isEqualTo(expected.ending());
  }

  private static void assertSame(List<GeneratedToken> actual, List<GeneratedToken> expected) {
    assertThat(actual).hasSameSizeAs(expected);
    for (int i = 0; i < actual.size(); i++) {
      assertThat(actual.get(i).index()).isEqualTo(expected.get(i).index());
      assertThat(actual.get(i).position()).isEqualTo(expected.get(i).position());
      assertThat(actual.get(i).tokenId()).as("token %d", i).isEqualTo(expected.get(i).tokenId());
      assertThat(actual.get(i).hiddenStateBytes())
          .as("state %d", i)
          .isEqualTo(expected.get(i).hiddenStateBytes());
    }
  }
}

package io.rigmesh.worker.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.KernelsUnderTest;
import io.rigmesh.worker.kernels.ScalarKernels;
import io.rigmesh.worker.llama.LlamaConfig;
import io.rigmesh.worker.llama.LlamaDecoder;
import io.rigmesh.worker.llama.LlamaFixtures;
import io.rigmesh.worker.llama.LlamaLoss;
import io.rigmesh.worker.llama.LlamaParameters;
import io.rigmesh.worker.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class GeneratorTest {
  private static final LlamaConfig CONFIG = LlamaFixtures.odd(true);
  private static final LlamaParameters PARAMETERS = LlamaFixtures.lively(CONFIG, 21);
  private static final List<Integer> PROMPT = List.of(5, 17, 96, 0, 33, 8, 60);
  private static final SamplingParameters SAMPLED = new SamplingParameters(0.9f, 40, 0.95f, 99);

  private final Kernels kernels = new ScalarKernels();

  static Stream<Kernels> kernels() {
    return KernelsUnderTest.all();
  }

  static Stream<SamplingParameters> samplings() {
    return Stream.of(SamplingParameters.greedy(), SAMPLED, new SamplingParameters(1.3f, 0, 1f, -5));
  }

  @Test
  void greedyTokensAreTheArgmaxOfAFullForwardPassOverWhatCameBefore() {
    List<GeneratedToken> tokens = generate(generator(4), request(SamplingParameters.greedy(), 12));
    int[] sequence = sequence(tokens);
    for (GeneratedToken token : tokens) {
      int[] before = Arrays.copyOf(sequence, token.position());
      LlamaLoss loss = new LlamaLoss(kernels, CONFIG, 1, before.length);
      loss.evaluate(PARAMETERS, before, before);
      Tensor last = loss.logits().rows(before.length - 1, before.length);
      assertThat(token.tokenId()).isEqualTo(kernels.argmax(last)[0]);
    }
    assertThat(tokens)
        .extracting(GeneratedToken::position)
        .containsExactlyElementsOf(IntStream.range(7, 19).boxed().toList());
    assertThat(tokens)
        .extracting(GeneratedToken::index)
        .containsExactlyElementsOf(IntStream.range(0, 12).boxed().toList());
  }

  @ParameterizedTest
  @MethodSource("samplings")
  void onePrefillPassReplaysEveryTokenAndHiddenStateToTheBit(SamplingParameters sampling) {
    GenerationRequest request = request(sampling, 25);
    List<GeneratedToken> tokens = generate(generator(3), request);
    for (int chunkRows : new int[] {1, 4, 40}) {
      List<GeneratedToken> replayed = new ArrayList<>();
      generator(chunkRows).replay(request, ids(tokens), replayed::add);
      assertSame(replayed, tokens);
    }
  }

  @Test
  void aReplayOfATamperedStreamDiffersFromTheTamperedTokenOn() {
    GenerationRequest request = request(SAMPLED, 20);
    List<GeneratedToken> tokens = generate(generator(8), request);
    int[] claimed = ids(tokens);
    claimed[9] = (claimed[9] + 1) % CONFIG.vocabularySize();
    List<GeneratedToken> replayed = new ArrayList<>();
    generator(8).replay(request, claimed, replayed::add);
    assertSame(replayed.subList(0, 10), tokens.subList(0, 10));
    assertThat(replayed.get(9).tokenId()).isNotEqualTo(claimed[9]);
    assertThat(replayed.get(10).hiddenStateBytes()).isNotEqualTo(tokens.get(10).hiddenStateBytes());
  }

  @ParameterizedTest
  @MethodSource("samplings")
  void anInterruptedGenerationIsContinuedWithTheSameBits(SamplingParameters sampling) {
    GenerationRequest request = request(sampling, 20);
    List<GeneratedToken> whole = generate(generator(4), request);
    for (int known : new int[] {1, 10, 19}) {
      List<GeneratedToken> rest = new ArrayList<>();
      Ending ending =
          generator(5).resume(request, Arrays.copyOf(ids(whole), known), rest::add, () -> false);
      assertSame(rest, whole.subList(known, whole.size()));
      assertThat(ending).isEqualTo(new Ending(20, FinishReason.TOKENS_MAX));
    }
    List<GeneratedToken> nothing = new ArrayList<>();
    assertThat(generator(5).resume(request, ids(whole), nothing::add, () -> false))
        .isEqualTo(new Ending(20, FinishReason.TOKENS_MAX));
    assertThat(nothing).isEmpty();
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void everyBackendGeneratesTheSameTokensAndStates(Kernels backend) {
    try (backend) {
      GenerationRequest request = request(SAMPLED, 15);
      List<GeneratedToken> reference = generate(generator(4), request);
      Generator generator =
          new Generator(backend, new LlamaDecoder(backend, PARAMETERS, CONFIG.positionsMax(), 6));
      assertSame(generate(generator, request), reference);
    }
  }

  @Test
  void aStopTokenIsHandedOverAndEndsTheText() {
    List<GeneratedToken> free = generate(generator(4), request(SAMPLED, 20));
    int stop = free.get(6).tokenId();
    int first =
        IntStream.range(0, 20).filter(i -> free.get(i).tokenId() == stop).findFirst().orElseThrow();
    GenerationRequest request = new GenerationRequest(PROMPT, SAMPLED, 20, Set.of(stop));
    List<GeneratedToken> tokens = new ArrayList<>();
    Ending ending = generator(4).generate(request, tokens::add, () -> false);
    assertThat(ending).isEqualTo(new Ending(first + 1, FinishReason.STOP_TOKEN));
    assertSame(tokens, free.subList(0, first + 1));
    assertThat(generator(4).ending(request, ids(free))).contains(ending);
    assertThat(generator(4).ending(request, Arrays.copyOf(ids(free), first))).isEmpty();
  }

  @Test
  void aFullContextEndsTheText() {
    List<GeneratedToken> tokens = new ArrayList<>();
    Ending ending = generator(4).generate(request(SAMPLED, 1000), tokens::add, () -> false);
    assertThat(ending).isEqualTo(new Ending(33, FinishReason.CONTEXT_FULL));
    assertThat(tokens.getLast().position()).isEqualTo(39);
  }

  @Test
  void aCancelledGenerationStopsBeforeTheNextToken() {
    List<GeneratedToken> tokens = new ArrayList<>();
    Ending ending =
        generator(4).generate(request(SAMPLED, 20), tokens::add, () -> tokens.size() == 5);
    assertThat(ending).isEqualTo(new Ending(5, FinishReason.CANCELLED));
    assertThat(tokens).hasSize(5);
  }

  @Test
  void whatTheSinkThrowsReachesTheCaller() {
    assertThatThrownBy(() ->
            generator(4)
                .generate(
                    request(SAMPLED, 20),
                    token -> {
                      throw new CancellationException("connection lost");
                    },
                    () -> false))
        .isInstanceOf(CancellationException.class);
  }

  @Test
  void requestsThatDoNotFitAreRefused() {
    assertThatThrownBy(() -> new GenerationRequest(List.of(), SAMPLED, 1, Set.of()))
        .hasMessageContaining("at least one token");
    assertThatThrownBy(() -> new GenerationRequest(PROMPT, SAMPLED, 0, Set.of()))
        .hasMessageContaining("tokensMax=0");
    List<Integer> longPrompt = IntStream.range(0, 40).boxed().toList();
    assertThatThrownBy(() ->
            generator(4)
                .generate(
                    new GenerationRequest(longPrompt, SAMPLED, 5, Set.of()),
                    token -> {},
                    () -> false))
        .hasMessageContaining("40 tokens, but at most 39");
    assertThatThrownBy(() -> generator(4).replay(request(SAMPLED, 5), new int[6], token -> {}))
        .hasMessageContaining("6 tokens are claimed");
  }

  private Generator generator(int chunkRows) {
    return new Generator(
        kernels, new LlamaDecoder(kernels, PARAMETERS, CONFIG.positionsMax(), chunkRows));
  }

  private static GenerationRequest request(SamplingParameters sampling, int tokensMax) {
    return new GenerationRequest(PROMPT, sampling, tokensMax, Set.of());
  }

  private static List<GeneratedToken> generate(Generator generator, GenerationRequest request) {
    List<GeneratedToken> tokens = new ArrayList<>();
    generator.generate(request, tokens::add, () -> false);
    return tokens;
  }

  private static int[] ids(List<GeneratedToken> tokens) {
    return tokens.stream().mapToInt(GeneratedToken::tokenId).toArray();
  }

  private static int[] sequence(List<GeneratedToken> tokens) {
    return IntStream.concat(PROMPT.stream().mapToInt(Integer::intValue), Arrays.stream(ids(tokens)))
        .toArray();
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

package io.rigmesh.worker.bench;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.generate.GeneratedToken;
import io.rigmesh.worker.serve.SequenceRequest;
import java.util.ArrayList;
import java.util.List;

/// What it costs to verify a generation, beside what it cost to make it: one prefill of prompt and
/// claimed tokens, all of which are compared to the bit, and the decode alone or in a batch of
/// eight. The ratio says how many times cheaper verification is.
final class VerifySpeed implements Benchmark {
  private static final int TOKENS = 64;
  private static final int BATCH = 8;
  private static final int ROUNDS = 3;

  @Override
  public String name() {
    return "verify";
  }

  @Override
  public List<Measurement> run() throws Exception {
    List<Measurement> results = new ArrayList<>();
    for (Profile profile : Profile.values()) {
      try (ServingModel model = new ServingModel(profile, 1)) {
        SequenceRequest request = model.request(1, TOKENS);
        List<Integer> claimed = new ArrayList<>();
        model.run(List.of(request), token -> claimed.add(token.tokenId()));
        int[] known = claimed.stream().mapToInt(Integer::intValue).toArray();
        SequenceRequest replay = request.withKnown(known, SequenceRequest.Mode.REPLAY);
        long[] seed = {100};
        double[] medians =
            Interleaved.medians(
                1,
                ROUNDS,
                List.of(
                    () -> tokensPerSecond(TOKENS, () -> verify(model, replay, known)),
                    () ->
                        tokensPerSecond(
                            TOKENS,
                            () -> model.run(List.of(model.request(seed[0]++, TOKENS)), _ -> {})),
                    () ->
                        tokensPerSecond(
                            BATCH * TOKENS,
                            () -> {
                              List<SequenceRequest> batch = new ArrayList<>();
                              for (int i = 0; i < BATCH; i++) {
                                batch.add(model.request(seed[0]++, TOKENS));
                              }
                              model.run(batch, _ -> {});
                            })));
        results.add(row(profile, medians[0], "decode alone", medians[1]));
        results.add(row(profile, medians[0], "decode, batch " + BATCH, medians[2]));
      }
    }
    return results;
  }

  private Measurement row(Profile profile, double verified, String peer, double generated) {
    return new Measurement(
        name(), profile + ", " + TOKENS + " tokens", verified, "tokens/s", peer, generated);
  }

  private static void verify(ServingModel model, SequenceRequest replay, int[] known)
      throws InterruptedException {
    List<GeneratedToken> tokens = new ArrayList<>();
    model.run(List.of(replay), tokens::add);
    for (int i = 0; i < known.length; i++) {
      if (tokens.get(i).tokenId() != known[i]) {
        throw new IllegalStateException("token " + i + " is not what was generated");
      }
    }
  }

  /// What is measured.
  interface Work {
    void run() throws InterruptedException;
  }

  static double tokensPerSecond(int tokens, Work work) throws InterruptedException {
    long start = System.nanoTime();
    work.run();
    return tokens * 1e9 / (System.nanoTime() - start);
  }
}

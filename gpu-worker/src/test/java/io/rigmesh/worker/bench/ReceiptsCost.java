package io.rigmesh.worker.bench;

import io.rigmesh.protocol.CommitmentChain;
import io.rigmesh.protocol.Digests;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Profile;
import java.util.ArrayList;
import java.util.List;

/// What receipts cost: the speed of a decode whose every token is chained into the commitments,
/// beside the same without. One less the ratio is the share; on a machine with a core to spare it
/// is hidden behind the next step.
final class ReceiptsCost implements Benchmark {
  private static final int TOKENS = 64;
  private static final int ROUNDS = 3;

  @Override
  public String name() {
    return "receipts";
  }

  @Override
  public List<Measurement> run() throws Exception {
    List<Measurement> results = new ArrayList<>();
    Hash any = Digests.sha256(new byte[] {1});
    for (Profile profile : Profile.values()) {
      try (ServingModel model = new ServingModel(profile, 1)) {
        long[] seed = {1};
        double[] hashing = new double[1];
        double[] medians =
            Interleaved.medians(
                1,
                ROUNDS,
                List.of(
                    () -> {
                      CommitmentChain chain = CommitmentChain.start(any, any, profile, any);
                      hashing[0] = 0;
                      return VerifySpeed.tokensPerSecond(
                          TOKENS,
                          () ->
                              model.run(
                                  List.of(model.request(seed[0]++, TOKENS)),
                                  token -> {
                                    long start = System.nanoTime();
                                    chain.token(
                                        token.position(),
                                        token.tokenId(),
                                        token.hiddenState().toArray());
                                    hashing[0] += System.nanoTime() - start;
                                  }));
                    },
                    () ->
                        VerifySpeed.tokensPerSecond(
                            TOKENS,
                            () -> model.run(List.of(model.request(seed[0]++, TOKENS)), _ -> {}))));
        results.add(
            new Measurement(
                name(), profile + ", decode", medians[0], "tokens/s", "without", medians[1]));
        results.add(
            new Measurement(
                name(),
                profile + ", links alone",
                TOKENS * 1e9 / hashing[0],
                "tokens/s",
                "decode",
                medians[1]));
      }
    }
    return results;
  }
}

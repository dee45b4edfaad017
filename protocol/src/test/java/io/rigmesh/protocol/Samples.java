package io.rigmesh.protocol;

import java.math.BigInteger;
import java.util.List;
import java.util.Optional;

/// Fixed values that tests and golden vectors share. The keys are the first two development
/// accounts that every anvil starts with.
final class Samples {
  static final AccountKey REQUESTER =
      AccountKey.fromHex("0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");
  static final AccountKey PROVIDER =
      AccountKey.fromHex("0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d");
  static final Domain DOMAIN =
      new Domain(31_337, Address.fromHex("0x5fbdb2315678afecb367f032d93f642f64180aa3"));

  /// The domain of vouchers and session keys.
  static final Domain CHANNELS =
      new Domain(31_337, Address.fromHex("0xe7f1725e7734ce288f8367e1bb143e90bb3f0512"));

  private Samples() {}

  static Hash hash(String text) {
    return Digests.sha256(text.getBytes(java.nio.charset.StandardCharsets.UTF_8));
  }

  static Job generate() {
    return job(new Task.Generate(64, 0.7f, 40, 0.95f), hash("model"), 42);
  }

  static Job embed() {
    return job(new Task.Embed(), hash("model"), 0);
  }

  static Job train() {
    return job(
        new Task.Train(
            200,
            8,
            128,
            0.003f,
            20,
            0.1f,
            1f,
            50,
            Optional.of(new Task.Architecture(4, 128, 4, 2, 352, 2048))),
        Hash.ZERO,
        -1L);
  }

  /// Four checkpoints, three parts: two, one and one of them.
  static Job trainInMilestones() {
    return job(
        new Task.Train(200, 8, 128, 0.003f, 20, 0.1f, 1f, 50, 3, Optional.empty()),
        hash("model"),
        7);
  }

  static Job job(Task task, Hash model, long seed) {
    return new Job(
        task,
        model,
        Profile.F32_V1,
        hash("input"),
        seed,
        TokenAmount.of(1_000_000),
        1_800_000_000L,
        REQUESTER.address(),
        new BigInteger("340282366920938463463374607431768211457"));
  }

  static Receipt receipt() {
    return new Receipt(
        generate().id(),
        PROVIDER.address(),
        hash("model"),
        new Meter(5, 64, 64),
        hash("commitment"),
        hash("links"),
        hash("output"),
        "CPU, 2 threads",
        Profile.F32_V1,
        1_700_000_000L,
        1_700_000_009L,
        TokenAmount.of(123_456));
  }

  static Voucher voucher() {
    return new Voucher(hash("channel"), TokenAmount.of(777), hash("receipts"));
  }

  static ChannelTerms channel() {
    return new ChannelTerms(
        REQUESTER.address(),
        REQUESTER.address(),
        PROVIDER.address(),
        DOMAIN.verifyingContract(),
        7);
  }

  static Offer offer() {
    return new Offer(
        "12D3KooWGzBUGVx3nWJYvJhYB9yYnE3m8qQ4yCzJvQk2vYg5m1pX",
        List.of("/ip4/192.0.2.1/tcp/4070", "/ip4/192.0.2.1/udp/4070/quic-v1"),
        PROVIDER.address(),
        List.of(new Offer.Device("CPU, 2 threads", 1L << 33, Profile.F32_V1, 120_000, 20_000)),
        List.of(
            new Offer.Model(
                hash("model"),
                "all-MiniLM-L6-v2",
                JobKind.EMBED,
                TokenAmount.of(10_000),
                TokenAmount.ZERO)),
        TokenAmount.of(1_000),
        "eu",
        1_800_000_000L,
        7);
  }

  static JobPass pass() {
    return new JobPass(generate().id(), "12D3KooWGzBUGVx3nWJYvJhYB9yYnE3m8qQ4yCzJvQk2vYg5m1pX");
  }
}

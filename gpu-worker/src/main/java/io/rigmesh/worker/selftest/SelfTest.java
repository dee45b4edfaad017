package io.rigmesh.worker.selftest;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.tensor.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/// The prover's side: fills a device's memory, goes through it, multiplies matrices in every
/// profile, and keeps everything until a verifier has asked.
///
/// Times are taken around the device's work alone; drawing numbers is not counted. What is timed is
/// warmed up before with another seed, whose results are of no use.
public final class SelfTest implements AutoCloseable {
  private final TestedDevice device;
  private final Challenge challenge;
  private final Map<Profile, List<Tensor>> results = new EnumMap<>(Profile.class);

  /// A test of a device, which it closes at its own end.
  public SelfTest(TestedDevice device, Challenge challenge) {
    this.device = device;
    this.challenge = challenge;
  }

  /// Does the work.
  public SelfTestReport run() {
    List<SelfTestReport.Products> products = new ArrayList<>();
    for (Profile profile : Profile.values()) {
      products.add(multiply(profile));
    }
    long start = System.nanoTime();
    device.fill(challenge.seed(), challenge.words());
    double fillSeconds = secondsSince(start);
    double passSeconds = Double.MAX_VALUE;
    long bytes = 0;
    for (int pass = 0; pass < challenge.passes(); pass++) {
      start = System.nanoTime();
      bytes = device.pass();
      passSeconds = Math.min(passSeconds, secondsSince(start));
    }
    return new SelfTestReport(
        device.name(),
        device.memoryTotalBytes(),
        challenge,
        fillSeconds,
        bytes,
        passSeconds,
        products);
  }

  private SelfTestReport.Products multiply(Profile profile) {
    TestedDevice.Product product =
        device.product(profile, SeededNumbers.weight(challenge, profile), challenge.rows());
    Challenge other =
        new Challenge(
            ~challenge.seed(),
            challenge.memoryBytes(),
            1,
            challenge.rows(),
            challenge.columns(),
            challenge.depth(),
            1);
    product.input(SeededNumbers.input(other, profile, 0));
    WarmUp warm = new WarmUp();
    while (!warm.done()) {
      long start = System.nanoTime();
      product.multiply();
      warm.ran(secondsSince(start));
    }
    List<Tensor> all = new ArrayList<>();
    List<String> hashes = new ArrayList<>();
    double seconds = 0;
    for (int number = 0; number < challenge.products(); number++) {
      product.input(SeededNumbers.input(challenge, profile, number));
      long start = System.nanoTime();
      product.multiply();
      seconds += secondsSince(start);
      Tensor result = product.result();
      all.add(result);
      hashes.add(sha256(result));
    }
    results.put(profile, all);
    return new SelfTestReport.Products(profile, seconds, hashes);
  }

  /// Shows what the verifier asks for.
  public SelfTestAnswer answer(SelfTestQuestion question) {
    Map<Profile, Tensor> shown = new EnumMap<>(Profile.class);
    results.forEach(
        (profile, all) -> shown.put(profile, all.get(Sampling.product(question, challenge))));
    return new SelfTestAnswer(device.words(Sampling.words(question, challenge)), shown);
  }

  static String sha256(Tensor tensor) {
    ByteBuffer bytes = ByteBuffer.allocate(tensor.size() * 4).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(tensor.data(), tensor.offset(), tensor.size());
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes.array()));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  private static double secondsSince(long start) {
    return Math.max(1, System.nanoTime() - start) / 1e9;
  }

  @Override
  public void close() {
    device.release();
    device.close();
  }
}

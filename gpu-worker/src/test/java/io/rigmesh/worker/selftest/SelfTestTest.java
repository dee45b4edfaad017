package io.rigmesh.worker.selftest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.cuda.Architecture;
import io.rigmesh.worker.cuda.CudaTestedDevice;
import io.rigmesh.worker.cuda.InterpretedAccelerator;
import io.rigmesh.worker.device.CpuTestedDevice;
import io.rigmesh.worker.tensor.Tensor;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// An honest device passes the self-test, and one that skipped or changed anything does not.
class SelfTestTest {
  private static final Challenge CHALLENGE = new Challenge(71, 4L * 5_000_003, 2, 9, 37, 700, 3);
  private static final SelfTestQuestion QUESTION = new SelfTestQuestion(5, 500, 40);

  @Test
  void anHonestProcessorPasses() {
    try (SelfTest test = new SelfTest(new CpuTestedDevice(2), CHALLENGE)) {
      SelfTestReport report = test.run();
      assertThat(report.memoryTotalBytes()).isPositive();
      assertThat(report.passBytes()).isEqualTo(CHALLENGE.memoryBytes());
      assertThat(report.bytesPerSecond()).isPositive();
      assertThat(report.operationsPerSecond(Profile.I8_V1)).isPositive();
      assertThat(report.products()).hasSize(Profile.values().length);
      for (long seed = 0; seed < 5; seed++) {
        SelfTestQuestion question = new SelfTestQuestion(seed, 100, 10);
        SelfTestAnswer answer = test.answer(question);
        assertThatCode(() -> SelfTestVerifier.check(report, question, answer))
            .doesNotThrowAnyException();
      }
    }
  }

  @Test
  void theShippedKernelsPassInTheInterpreter() {
    Challenge small = new Challenge(3, 4096, 1, 17, 33, 70, 2);
    try (SelfTest test =
        new SelfTest(
            new CudaTestedDevice(new InterpretedAccelerator(Architecture.HOPPER)), small)) {
      SelfTestReport report = test.run();
      SelfTestAnswer answer = test.answer(QUESTION);
      assertThatCode(() -> SelfTestVerifier.check(report, QUESTION, answer))
          .doesNotThrowAnyException();
    }
  }

  @Test
  void aGpuIsFilledWithAllThatIsFreeButForTheMatricesAndTwice() {
    long free = 1L << 37;
    try (CudaTestedDevice device =
        new CudaTestedDevice(
            new InterpretedAccelerator(Architecture.HOPPER) {
              @Override
              public long memoryFreeBytes() {
                return free;
              }
            })) {
      assertThat(device.fillableBytes())
          .isGreaterThan((long) (0.49 * free))
          .isLessThan(free / 2 - (512L << 20))
          .isEqualTo(device.fillableBytes() >> 24 << 24);
    }
  }

  @Test
  void aWrongElementIsFoundEvenIfItWasHashed() {
    try (SelfTest test = new SelfTest(new CpuTestedDevice(1), CHALLENGE)) {
      SelfTestReport report = test.run();
      SelfTestAnswer honest = test.answer(QUESTION);
      Tensor wrong = honest.products().get(Profile.I8_V1).copy();
      wrong.set(100, wrong.get(100) + 1);
      assertThatThrownBy(() -> check(report, honest, Profile.I8_V1, wrong, true))
          .isInstanceOf(SelfTestException.class)
          .hasMessageContaining("Row 2 of the product in i8-v1 is wrong");
      assertThatThrownBy(() -> check(report, honest, Profile.I8_V1, wrong, false))
          .hasMessageContaining("not the one that the report hashed");
      Tensor rounded = honest.products().get(Profile.F32_V1).copy();
      for (int i = 0; i < rounded.size(); i++) {
        rounded.set(i, Math.nextUp(rounded.get(i)));
      }
      assertThatThrownBy(() -> check(report, honest, Profile.F32_V1, rounded, true))
          .hasMessageContaining("of the product in f32-v1 is wrong");
    }
  }

  @Test
  void memoryThatWasNotKeptIsFound() {
    try (SelfTest test = new SelfTest(new CpuTestedDevice(1), CHALLENGE)) {
      SelfTestReport report = test.run();
      SelfTestAnswer honest = test.answer(QUESTION);
      int[] forgotten = honest.words().clone();
      forgotten[499]++;
      assertThatThrownBy(() ->
              SelfTestVerifier.check(
                  report, QUESTION, new SelfTestAnswer(forgotten, honest.products())))
          .isInstanceOf(SelfTestException.class)
          .hasMessageContaining("of the memory is not what it was filled with");
    }
  }

  @Test
  void aSeedThatWasAnsweredBeforeHelpsNobody() {
    Challenge again = new Challenge(72, CHALLENGE.memoryBytes(), 2, 9, 37, 700, 3);
    try (SelfTest old = new SelfTest(new CpuTestedDevice(1), CHALLENGE)) {
      SelfTestReport report = old.run();
      SelfTestReport pretended =
          new SelfTestReport(
              report.device(),
              report.memoryTotalBytes(),
              again,
              report.fillSeconds(),
              report.passBytes(),
              report.passSeconds(),
              report.products());
      SelfTestAnswer answer = old.answer(QUESTION);
      assertThatThrownBy(() -> SelfTestVerifier.check(pretended, QUESTION, answer))
          .isInstanceOf(SelfTestException.class);
    }
  }

  private static void check(
      SelfTestReport report,
      SelfTestAnswer honest,
      Profile profile,
      Tensor product,
      boolean hashed) {
    Map<Profile, Tensor> products = new EnumMap<>(honest.products());
    products.put(profile, product);
    List<SelfTestReport.Products> claims =
        report.products().stream()
            .map(entry ->
                hashed && entry.profile() == profile
                    ? new SelfTestReport.Products(
                        profile,
                        entry.seconds(),
                        entry.sha256().stream().map(ignored -> SelfTest.sha256(product)).toList())
                    : entry)
            .toList();
    SelfTestVerifier.check(
        new SelfTestReport(
            report.device(),
            report.memoryTotalBytes(),
            report.challenge(),
            report.fillSeconds(),
            report.passBytes(),
            report.passSeconds(),
            claims),
        QUESTION,
        new SelfTestAnswer(honest.words(), products));
  }
}

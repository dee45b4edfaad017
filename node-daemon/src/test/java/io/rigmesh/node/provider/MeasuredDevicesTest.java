package io.rigmesh.node.provider;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.selftest.Challenge;
import io.rigmesh.worker.selftest.SelfTestReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What a self-test measured is found again by device and profile, and a broken file says nothing.
class MeasuredDevicesTest {
  private static final Challenge CHALLENGE = new Challenge(1, 4_000_000, 2, 10, 100, 1000, 4);

  private static SelfTestReport report(double productSeconds) {
    List<String> hashes = Collections.nCopies(4, "00");
    return new SelfTestReport(
        "a device",
        1L << 30,
        CHALLENGE,
        1,
        4_000_000,
        0.001,
        List.of(
            new SelfTestReport.Products(Profile.F32_V1, productSeconds, hashes),
            new SelfTestReport.Products(Profile.I8_V1, productSeconds / 2, hashes)));
  }

  @Test
  void theLatestMeasurementOfADeviceIsKept(@TempDir Path home) {
    Path file = home.resolve("new/self-test.json");
    MeasuredDevices measured = new MeasuredDevices(file);
    assertThat(measured.speed("cpu", Profile.F32_V1)).isEmpty();
    measured.keep("cuda:0", report(0.5), Instant.EPOCH);
    measured.keep("cpu", report(2), Instant.EPOCH);
    measured.keep("cpu", report(1), Instant.EPOCH);
    MeasuredDevices read = new MeasuredDevices(file);
    // Four products of 2 million operations in a second; 4 MB in a millisecond.
    assertThat(read.speed("cpu", Profile.F32_V1)).contains(new MeasuredDevices.Speed(8, 4_000));
    assertThat(read.speed("cpu", Profile.I8_V1)).contains(new MeasuredDevices.Speed(16, 4_000));
    assertThat(read.speed("cuda:0", Profile.F32_V1)).contains(new MeasuredDevices.Speed(16, 4_000));
    assertThat(read.speed("cuda:1", Profile.F32_V1)).isEmpty();
  }

  @Test
  void anOfferSaysOfEachProfileWhatItsOwnTestMeasuredAndOnlyWithoutOneWhatJobsReached(
      @TempDir Path home) {
    MeasuredDevices measured = new MeasuredDevices(home.resolve("self-test.json"));
    assertThat(measured.offered("cpu", Profile.I8_V1, 0))
        .isEqualTo(new MeasuredDevices.Speed(0, 0));
    assertThat(measured.offered("cpu", Profile.I8_V1, 77))
        .isEqualTo(new MeasuredDevices.Speed(77, 0));
    measured.keep("cpu", report(1), Instant.EPOCH);
    assertThat(measured.offered("cpu", Profile.F32_V1, 77))
        .isEqualTo(new MeasuredDevices.Speed(8, 4_000));
    assertThat(measured.offered("cpu", Profile.I8_V1, 77))
        .isEqualTo(new MeasuredDevices.Speed(16, 4_000));
  }

  @Test
  void aBrokenFileSaysNothing(@TempDir Path home) throws IOException {
    Path file = home.resolve("self-test.json");
    for (String text :
        List.of("", "[1]", "{\"cpu\":3}", "{\"cpu\":{\"megabytesPerSecond\":\"x\"}}")) {
      Files.writeString(file, text);
      assertThat(new MeasuredDevices(file).speed("cpu", Profile.F32_V1)).isEmpty();
    }
  }
}

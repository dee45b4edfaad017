package io.rigmesh.node.provider;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.selftest.SelfTestReport;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.util.Optional;

/// What `rigmesh self-test` measured of this node's devices, kept in a file of the home so that
/// offers can carry it. The file is read anew whenever it is asked, so a test shows in the next
/// offer.
public final class MeasuredDevices {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final long BYTES_MAX = 1 << 20;

  private final Path file;

  /// The measurements in `file`, which need not be there yet.
  public MeasuredDevices(Path file) {
    this.file = file;
  }

  /// What a device reached.
  ///
  /// @param megaflopsPerSecond millions of multiplications and additions a second in the profile
  /// @param megabytesPerSecond millions of bytes a second that memory gives and takes
  public record Speed(long megaflopsPerSecond, long megabytesPerSecond) {}

  /// The speed of a device in a profile, if it was measured.
  ///
  /// @param device such as `cpu`
  public Optional<Speed> speed(String device, Profile profile) {
    JsonNode measured = read().path(device);
    JsonNode flops = measured.path("megaflopsPerSecond").path(profile.id());
    if (!flops.canConvertToLong() || !measured.path("megabytesPerSecond").canConvertToLong()) {
      return Optional.empty();
    }
    return Optional.of(
        new Speed(
            Math.max(0, flops.asLong()),
            Math.max(0, measured.path("megabytesPerSecond").asLong())));
  }

  /// What an offer says of a device in a profile: what its self-test measured, which is of that
  /// profile; where there was none, what its jobs reached in any; zero for what is not known.
  ///
  /// @param megaflopsOfJobs what the device reached at the kind of job that it is fastest at
  public Speed offered(String device, Profile profile, long megaflopsOfJobs) {
    return speed(device, profile).orElse(new Speed(megaflopsOfJobs, 0));
  }

  /// Keeps what a self-test measured, in place of an earlier one of that device.
  public void keep(String device, SelfTestReport report, Instant measuredAt) {
    ObjectNode all = read().deepCopy();
    ObjectNode measured = all.putObject(device);
    measured.put("name", report.device());
    measured.put("measuredAt", measuredAt.toString());
    measured.put("megabytesPerSecond", (long) (report.bytesPerSecond() / 1e6));
    ObjectNode flops = measured.putObject("megaflopsPerSecond");
    for (SelfTestReport.Products products : report.products()) {
      flops.put(
          products.profile().id(), (long) (report.operationsPerSecond(products.profile()) / 1e6));
    }
    try {
      Files.createDirectories(file.toAbsolutePath().getParent());
      Path fresh = file.resolveSibling(file.getFileName() + ".new");
      Files.writeString(fresh, all.toPrettyString() + "\n");
      Files.move(fresh, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + file + ": " + e.getMessage(), e);
    }
  }

  /// The file's contents; a file that is missing, too long or not JSON says nothing.
  private ObjectNode read() {
    try {
      if (Files.isRegularFile(file)
          && Files.size(file) <= BYTES_MAX
          && JSON.readTree(Files.readString(file)) instanceof ObjectNode measured) {
        return measured;
      }
      return JSON.createObjectNode();
    } catch (IOException e) {
      return JSON.createObjectNode();
    }
  }
}

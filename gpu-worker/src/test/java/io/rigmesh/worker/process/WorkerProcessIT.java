package io.rigmesh.worker.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.protocol.Digests;
import io.rigmesh.protocol.Profile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WorkerProcessIT {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @TempDir Path home;

  private final List<String> log = new CopyOnWriteArrayList<>();

  private WorkerLaunch launch(String device) {
    return WorkerLaunch.likeThisProcess(
        home.resolve("s").resolve("0.sock"), device, 2, 256L << 20, home.resolve("worker"));
  }

  @Test
  void aStartedWorkerDescribesItsDeviceOverTheSocket() {
    try (WorkerProcess worker = WorkerProcess.start(launch("cpu"), log::add, PATIENCE)) {
      WorkerDescription device = worker.client().describe();

      assertThat(device.kind()).isEqualTo("cpu");
      assertThat(device.deviceName()).startsWith("cpu, ");
      assertThat(device.processId()).isEqualTo(worker.handle().pid());
      assertThat(device.profiles()).containsExactly(Profile.F32_V1, Profile.I8_V1);
      assertThat(device.memoryTotalBytes()).isBetween(200L << 20, 256L << 20);
      assertThat(device.memoryFreeBytes()).isBetween(1L, device.memoryTotalBytes());
      assertThat(worker.client().cancel(Digests.sha256())).isFalse();
    }
  }

  @Test
  void onlyTheOwnerCanEnterTheFolderOfTheSocket() throws IOException {
    try (WorkerProcess worker = WorkerProcess.start(launch("cpu"), log::add, PATIENCE)) {
      assertThat(worker.handle().isAlive()).isTrue();
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(home.resolve("s"))))
          .isEqualTo("rwx------");
    }
  }

  @Test
  void aFolderThatEveryoneCanWriteIsNoPlaceForASocket() throws IOException {
    Path open = Files.createDirectory(home.resolve("open"));
    Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxrwxrwx"));
    WorkerLaunch launch =
        WorkerLaunch.likeThisProcess(
            open.resolve("0.sock"), "cpu", 1, 256L << 20, home.resolve("worker"));
    assertThatThrownBy(() -> WorkerProcess.start(launch, log::add, PATIENCE))
        .isInstanceOf(WorkerException.class);
    assertThat(log).anyMatch(line -> line.contains("everyone can write into " + open));
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(open)))
        .isEqualTo("rwxrwxrwx");
  }

  @Test
  void theEnvironmentOfAWorkerHoldsNothingOfItsParents() throws IOException {
    assertThat(System.getenv()).as("what could leak").containsKey("PATH");
    try (WorkerProcess worker = WorkerProcess.start(launch("cpu"), log::add, PATIENCE)) {
      String environment =
          Files.readString(
              Path.of("/proc", Long.toString(worker.handle().pid()), "environ"),
              StandardCharsets.UTF_8);
      assertThat(Stream.of(environment.split("\0")).map(line -> line.split("=", 2)[0]))
          .isSubsetOf("LC_ALL", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES");
    }
  }

  @Test
  void aWorkerHoldsNoSocketOfTheNetwork() throws IOException {
    try (WorkerProcess worker = WorkerProcess.start(launch("cpu"), log::add, PATIENCE)) {
      worker.client().describe();
      Path process = Path.of("/proc", Long.toString(worker.handle().pid()));
      List<String> sockets;
      try (Stream<Path> files = Files.list(process.resolve("fd"))) {
        sockets =
            files
                .map(WorkerProcessIT::target)
                .filter(target -> target.startsWith("socket:["))
                .map(target -> target.substring("socket:[".length(), target.length() - 1))
                .toList();
      }
      assertThat(sockets).isNotEmpty();
      for (String table : List.of("tcp", "tcp6", "udp", "udp6", "raw", "raw6")) {
        Path lines = process.resolve("net").resolve(table);
        if (Files.exists(lines)) {
          assertThat(
                  Files.readAllLines(lines).stream()
                      .skip(1)
                      .map(line -> line.strip().split("\\s+")[9]))
              .as(table)
              .doesNotContainAnyElementsOf(sockets);
        }
      }
    }
  }

  @Test
  void aWorkerEndsWhenItsParentClosesTheInput() throws Exception {
    WorkerProcess worker = WorkerProcess.start(launch("cpu"), log::add, PATIENCE);
    worker.close();
    assertThat(worker.ended().get(120, TimeUnit.SECONDS)).isEqualTo(WorkerMain.EXIT_DONE);
  }

  @Test
  void aDeviceThatIsNotHereIsSaidAndNoRestartIsWorthIt() {
    assertThatThrownBy(() -> WorkerProcess.start(launch("cuda:7"), log::add, PATIENCE))
        .isInstanceOf(WorkerException.class)
        .hasMessageContaining("cuda:7");
    assertThat(log).anyMatch(line -> line.contains("cuda:7") && line.contains("--device cpu"));
  }

  @Test
  void aWorkerThatIsNotThereIsLost() {
    try (WorkerClient client = WorkerClient.connect(home.resolve("none.sock"))) {
      assertThatThrownBy(client::describe)
          .isInstanceOfSatisfying(
              WorkerException.class,
              e -> assertThat(e.reason()).isEqualTo(WorkerException.Reason.LOST));
    }
  }

  private static String target(Path link) {
    try {
      return Files.readSymbolicLink(link).toString();
    } catch (IOException e) {
      // A descriptor may close between the listing and the look.
      return "";
    }
  }
}

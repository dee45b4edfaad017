package io.rigmesh.worker.kernels.nativecode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class NativeLibraryTest {
  private static final Path SOURCES = Path.of("src/main/c");

  @TempDir Path folder;

  @Test
  void theShippedLibraryWasMadeFromTheseSources() throws Exception {
    NativeManifest manifest = NativeManifest.load();
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    try (Stream<Path> files = Files.list(SOURCES)) {
      for (Path source : files.sorted().toList()) {
        digest.update(Files.readAllBytes(source));
      }
    }
    assertThat(manifest.sourceSha256())
        .as("a source in %s changed: run scripts/build-native.sh", SOURCES)
        .isEqualTo(HexFormat.of().formatHex(digest.digest()));
    assertThat(manifest.flags()).contains("-ffp-contract=off");
    assertThat(manifest.libraries()).isNotEmpty();
    for (NativeManifest.Library library : manifest.libraries()) {
      byte[] bytes = NativeManifest.resource(library.file());
      assertThat(library.sha256())
          .isEqualTo(HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes)));
    }
  }

  @Test
  void itServesOnEveryLinuxMachineWhoseCpuHasAvx2() throws IOException {
    boolean able =
        NativeLibrary.platform().equals("linux-x86_64")
            && Files.readString(Path.of("/proc/cpuinfo")).contains(" avx2 ");
    if (able) {
      assertThat(NativeCode.find("on")).isInstanceOf(NativeCode.Present.class);
    } else {
      assertThat(NativeCode.find("on")).isInstanceOf(NativeCode.Absent.class);
    }
  }

  @Test
  void theInstructionSetsAreThoseThatTheSystemNames() throws IOException {
    if (NativeCode.find("on") instanceof NativeCode.Present present) {
      List<String> flags =
          Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
              .filter(line -> line.startsWith("flags"))
              .findFirst()
              .map(line -> List.of(line.split(" ")))
              .orElseThrow();
      assertThat(present.sets().contains(InstructionSet.AVX512_VNNI))
          .isEqualTo(flags.containsAll(List.of("avx512f", "avx512bw", "avx512_vnni")));
      assertThat(present.sets().contains(InstructionSet.AVX2)).isEqualTo(flags.contains("avx2"));
      assertThat(present.floats(32).isPresent())
          .isEqualTo(flags.containsAll(List.of("avx512f", "avx512dq")));
      assertThat(present.floats(16).isPresent())
          .isEqualTo(flags.containsAll(List.of("avx2", "fma")));
    }
  }

  @Test
  void nothingOfItStaysInTheFolderThatItIsUnpackedInto() throws IOException {
    NativeLibrary loaded = NativeLibrary.load(NativeLibrary.platform(), folder);
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files).as("after %s", loaded).isEmpty();
    }
  }

  @Test
  void whereItCannotBeUnpackedTheReasonNamesTheFolder() {
    Path missing = folder.resolve("missing");
    assertThat(NativeLibrary.load("linux-x86_64", missing))
        .isInstanceOfSatisfying(
            NativeLibrary.Failed.class,
            failed -> assertThat(failed.reason()).contains(missing.toString(), "writable"));
  }

  @Test
  void aPlatformWithoutABuildIsNamed() {
    assertThat(NativeLibrary.load("plan9-vax", folder))
        .isEqualTo(new NativeLibrary.Failed("there is none for plan9-vax in this build"));
  }

  @Test
  void itCanBeSwitchedOff() {
    assertThat(NativeCode.find("off")).isEqualTo(new NativeCode.Absent("it is switched off"));
    assertThatThrownBy(() -> NativeCode.find("no"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("The property rigmesh.native-code is 'no', but must be on or off.");
  }
}

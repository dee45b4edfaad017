package io.rigmesh.worker.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

final class PtxManifestTest {
  private static final Path SOURCES = Path.of("src/main/cuda");
  private final PtxManifest manifest = PtxManifest.load();

  @Test
  void everySourceIsShippedAndNothingElse() throws IOException {
    assertThat(manifest.modules().stream().map(PtxManifest.Module::name))
        .containsExactlyElementsOf(sources(".cu").stream().map(PtxManifestTest::stem).toList());
  }

  @Test
  void theShippedPtxWasMadeFromTheseSources() throws Exception {
    for (PtxManifest.Module module : manifest.modules()) {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(Files.readAllBytes(SOURCES.resolve(module.name() + ".cu")));
      for (Path header : sources(".cuh")) {
        digest.update(Files.readAllBytes(header));
      }
      assertThat(module.sourceSha256())
          .as("%s.cu or a header changed: run scripts/build-ptx.sh", module.name())
          .isEqualTo(HexFormat.of().formatHex(digest.digest()));
      byte[] ptx = module.ptx().getBytes(StandardCharsets.UTF_8);
      assertThat(module.ptxSha256())
          .as("%s.ptx is not what the manifest lists", module.name())
          .isEqualTo(HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(ptx)));
    }
  }

  @Test
  void noKernelContractsOrFlushesOrSpills() {
    for (PtxManifest.Module module : manifest.modules()) {
      assertThat(module.ptx())
          .as(module.name())
          .doesNotContain(".ftz", ".approx", "mad.f32", "fma.rz", ".full.f32");
      assertThat(module.kernels()).as(module.name()).isNotEmpty();
      for (PtxManifest.Kernel kernel : module.kernels()) {
        assertThat(kernel.spillStoreBytes() + kernel.spillLoadBytes())
            .as("bytes that %s spills", kernel.entry())
            .isZero();
      }
    }
  }

  @Test
  void everyEntryPointHasANameOfItsOwn() {
    List<String> entries =
        manifest.modules().stream()
            .flatMap(module -> module.kernels().stream())
            .map(PtxManifest.Kernel::entry)
            .toList();
    assertThat(entries).doesNotHaveDuplicates();
  }

  private static List<Path> sources(String ending) throws IOException {
    try (Stream<Path> files = Files.list(SOURCES)) {
      return files.filter(file -> file.toString().endsWith(ending)).sorted().toList();
    }
  }

  private static String stem(Path file) {
    String name = file.getFileName().toString();
    return name.substring(0, name.lastIndexOf('.'));
  }
}

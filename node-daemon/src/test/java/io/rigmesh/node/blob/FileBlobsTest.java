package io.rigmesh.node.blob;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.node.config.BlobsConfig;
import io.rigmesh.protocol.BlobRoot;
import io.rigmesh.protocol.FolderManifest;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.RefusalCode;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileBlobsTest {
  private static final long MANY = 1L << 40;

  @TempDir Path folder;
  private FileBlobs blobs;

  @BeforeEach
  void open() {
    blobs = FileBlobs.open(folder.resolve("blobs"), new BlobsConfig(8L << 20, 0));
  }

  @Test
  void keepsBytesOfEveryAwkwardSizeUnderTheirRoot() throws IOException {
    for (int size : new int[] {0, 1, BlobRoot.CHUNK_BYTES, BlobRoot.CHUNK_BYTES + 1, 3 << 20}) {
      byte[] bytes = random(size);
      Hash root = blobs.put(new ByteArrayInputStream(bytes), Optional.empty(), MANY);
      assertThat(root).isEqualTo(BlobRoot.of(bytes));
      assertThat(blobs.has(root)).isTrue();
      assertThat(blobs.sizeBytes(root)).isEqualTo(OptionalLong.of(size));
      try (InputStream in = blobs.open(root)) {
        assertThat(in.readAllBytes()).isEqualTo(bytes);
      }
    }
  }

  @Test
  void refusesBytesOfAnotherRootAndKeepsNothingOfThem() throws IOException {
    Hash wanted = BlobRoot.of(random(10));
    assertThatThrownBy(
            () -> blobs.put(new ByteArrayInputStream(random(11)), Optional.of(wanted), MANY))
        .isInstanceOfSatisfying(
            BlobRefusedException.class,
            e -> assertThat(e.refusal().code()).isEqualTo(RefusalCode.MALFORMED));
    assertThat(blobs.has(wanted)).isFalse();
    assertThat(files()).isEmpty();
    assertThat(blobs.usedBytes()).isZero();
  }

  @Test
  void stopsReadingOnceThereAreTooManyBytes() throws IOException {
    long[] read = {0};
    InputStream endless =
        new InputStream() {
          @Override
          public int read() {
            read[0]++;
            return 7;
          }
        };
    assertThatThrownBy(() -> blobs.put(endless, Optional.empty(), 100))
        .isInstanceOfSatisfying(
            BlobRefusedException.class,
            e -> assertThat(e.refusal().code()).isEqualTo(RefusalCode.TOO_LARGE));
    assertThat(read[0]).isLessThanOrEqualTo(BlobRoot.CHUNK_BYTES);
    assertThat(files()).isEmpty();
  }

  @Test
  void keepsTheDiskFree() {
    FileBlobs cautious = FileBlobs.open(folder.resolve("full"), new BlobsConfig(MANY, MANY << 10));
    assertThatThrownBy(
            () -> cautious.put(new ByteArrayInputStream(random(10)), Optional.empty(), MANY))
        .isInstanceOf(BlobException.class)
        .hasMessageContaining("make room");
  }

  @Test
  void folderIsThereOnceAllItsFilesAre() {
    byte[] a = random(100);
    byte[] b = random(2 << 20);
    FolderManifest manifest =
        new FolderManifest(
            List.of(
                new FolderManifest.File("a.txt", a.length, BlobRoot.of(a)),
                new FolderManifest.File("deep/b.bin", b.length, BlobRoot.of(b)),
                new FolderManifest.File("deep/same.bin", b.length, BlobRoot.of(b))));
    assertThat(blobs.putFolder(manifest)).containsExactly(BlobRoot.of(a), BlobRoot.of(b));
    assertThat(blobs.folder(manifest.root())).isEmpty();
    blobs.put(new ByteArrayInputStream(a), Optional.empty(), MANY);
    blobs.put(new ByteArrayInputStream(b), Optional.empty(), MANY);
    assertThat(blobs.folder(manifest.root())).contains(manifest);
    assertThat(blobs.folder(BlobRoot.of(a))).as("a blob that is no manifest").isEmpty();
  }

  @Test
  void folderWhoseManifestLiesAboutASizeIsNotThere() {
    byte[] a = random(100);
    FolderManifest lie =
        new FolderManifest(List.of(new FolderManifest.File("a.txt", 1, BlobRoot.of(a))));
    blobs.put(new ByteArrayInputStream(a), Optional.empty(), MANY);
    assertThat(blobs.putFolder(lie)).isEmpty();
    assertThat(blobs.folder(lie.root())).isEmpty();
  }

  @Test
  void importedFolderIsLaidOutAgainAndNobodyMayWriteToIt() throws IOException {
    Path source = folder.resolve("source");
    Files.createDirectories(source.resolve("x/y"));
    Files.writeString(source.resolve("one.txt"), "one");
    Files.writeString(source.resolve("x/y/two.txt"), "zwei — δύο");
    FolderManifest manifest = blobs.importFolder(source);
    assertThat(manifest.files())
        .extracting(FolderManifest.File::path)
        .containsExactly("one.txt", "x/y/two.txt");

    Path target = folder.resolve("target");
    blobs.materialise(manifest.root(), target);
    assertThat(target.resolve("x/y/two.txt")).hasContent("zwei — δύο");
    assertThat(Files.getPosixFilePermissions(target.resolve("one.txt")))
        .noneMatch(p -> p.name().endsWith("WRITE"));
    Files.writeString(source.resolve("one.txt"), "changed");
    assertThat(target.resolve("one.txt")).as("a copy, not a link").hasContent("one");
    assertThatThrownBy(() -> blobs.materialise(manifest.root(), target))
        .isInstanceOf(BlobException.class);
    assertThatThrownBy(() -> blobs.materialise(Hash.ZERO, folder.resolve("none")))
        .isInstanceOf(BlobRefusedException.class);
  }

  @Test
  void unfinishedFilesOfAnEarlierProcessAreRemovedAndFinishedOnesCounted() throws IOException {
    Hash root = blobs.put(new ByteArrayInputStream(random(1_000)), Optional.empty(), MANY);
    Path part = folder.resolve("blobs/incoming/x.part");
    Files.write(part, random(500));
    FileBlobs again = FileBlobs.open(folder.resolve("blobs"), new BlobsConfig(MANY, 0));
    assertThat(part).doesNotExist();
    assertThat(again.has(root)).isTrue();
    assertThat(again.usedBytes()).isEqualTo(1_000);
  }

  @Test
  void manyWritersOfTheSameBytesAllSucceed() throws Exception {
    byte[] bytes = random(2 << 20);
    CountDownLatch go = new CountDownLatch(1);
    List<Thread> threads =
        Stream.generate(() ->
                Thread.ofVirtual()
                    .start(() -> {
                      try {
                        go.await();
                      } catch (InterruptedException e) {
                        throw new AssertionError(e);
                      }
                      blobs.put(new ByteArrayInputStream(bytes), Optional.empty(), MANY);
                    }))
            .limit(8)
            .toList();
    go.countDown();
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(files()).filteredOn(file -> !file.toString().contains("leaves")).hasSize(1);
    assertThat(blobs.has(BlobRoot.of(bytes))).isTrue();
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> all = Files.walk(folder.resolve("blobs"))) {
      return all.filter(Files::isRegularFile).toList();
    }
  }

  private static byte[] random(int size) {
    byte[] bytes = new byte[size];
    new Random(size).nextBytes(bytes);
    return size == 3 ? "abc".getBytes(StandardCharsets.UTF_8) : bytes;
  }
}

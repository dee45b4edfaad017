package io.rigmesh.node.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TextSourceTest {
  @TempDir Path folder;

  private void write(String path, String text) throws Exception {
    Path file = folder.resolve(path);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  @Test
  void folderIsItsTextFilesInTheOrderOfTheirPaths() throws Exception {
    write("b.txt", "second");
    write("a/z.md", "first");
    write("c.txt", "third");
    TextSource source = TextSource.of(folder, 1_000);
    assertThat(Files.readString(source.text())).isEqualTo("first\nsecond\nthird\n");
    assertThat(source.files()).isEqualTo(3);
    source.discard();
    assertThat(source.text()).doesNotExist();
    assertThat(folder.resolve("b.txt")).exists();
  }

  @Test
  void binariesHiddenAndBuildFoldersAreLeftOut() throws Exception {
    write("text.txt", "kept");
    write("target/classes.txt", "built");
    write("node_modules/x/readme.md", "fetched");
    write(".git/config", "hidden");
    Files.write(folder.resolve("picture.png"), new byte[] {1, 0, 2});
    Files.write(folder.resolve("latin1.txt"), new byte[] {(byte) 0xe9, 'a'});
    TextSource source = TextSource.of(folder, 1_000);
    assertThat(Files.readString(source.text())).isEqualTo("kept\n");
    source.discard();
  }

  @Test
  void tooMuchNothingAndNoTextAreSaid() throws Exception {
    assertThatThrownBy(() -> TextSource.of(folder, 10)).hasMessageContaining("no UTF-8 text");
    write("a.txt", "123456");
    write("b.txt", "123456");
    assertThatThrownBy(() -> TextSource.of(folder, 10)).hasMessageContaining("--text-bytes-max");
    assertThatThrownBy(() -> TextSource.of(folder.resolve("a.txt"), 3))
        .hasMessageContaining("more than 3 bytes");
    assertThatThrownBy(() -> TextSource.of(folder.resolve("none"), 3))
        .hasMessageContaining("no file or folder");
  }
}

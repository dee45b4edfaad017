package io.rigmesh.worker.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.protocol.Digests;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.Task;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JobInputTest {
  @TempDir Path folder;

  private Job embed(Path input) {
    return JobFixtures.job(new Task.Embed(), Digests.sha256(), input, 1);
  }

  @Test
  void linesEndWithLineFeedsWithOrWithoutCarriageReturns() {
    assertThat(JobInput.lines("")).isEmpty();
    assertThat(JobInput.lines("a")).containsExactly("a");
    assertThat(JobInput.lines("a\n")).containsExactly("a");
    assertThat(JobInput.lines("a\r\n\r\nb\rc\n\n")).containsExactly("a", "", "b\rc", "");
  }

  @Test
  void bytesThatAreNoUtf8AreRefusedWithTheirPlace() throws Exception {
    Path input = Files.write(folder.resolve("input"), new byte[] {'a', 'b', (byte) 0xc3, 'c'});
    assertThatThrownBy(() -> JobInput.text(input, embed(input), 100))
        .isInstanceOf(InvalidJobException.class)
        .hasMessageContaining("byte 2");
    Path cut = Files.write(folder.resolve("cut"), new byte[] {'a', (byte) 0xe5, (byte) 0xa4});
    assertThatThrownBy(() -> JobInput.text(cut, embed(cut), 100))
        .isInstanceOf(InvalidJobException.class)
        .hasMessageContaining("byte 1");
  }

  @Test
  void aLongerInputThanAllowedIsRefusedBeforeItIsRead() {
    Path input = JobFixtures.write(folder.resolve("input"), "abcdef");
    assertThatThrownBy(() -> JobInput.text(input, embed(input), 5))
        .isInstanceOf(InvalidJobException.class)
        .hasMessageContaining("at most 5 bytes, this one 6");
  }

  @Test
  void anotherFileOrModelThanTheJobsIsRefused() {
    Path input = JobFixtures.write(folder.resolve("input"), "abc");
    Path other = JobFixtures.write(folder.resolve("other"), "abd");
    assertThatThrownBy(() -> JobInput.text(other, embed(input), 100))
        .isInstanceOf(InvalidJobException.class)
        .hasMessageContaining(embed(input).input().hex());
    assertThatThrownBy(() -> JobInput.model(Optional.of(folder), embed(input)))
        .isInstanceOf(InvalidJobException.class)
        .hasMessageContaining("the job's model is");
    assertThatThrownBy(() -> JobInput.model(Optional.empty(), embed(input)))
        .isInstanceOf(InvalidJobException.class)
        .hasMessageContaining("no model folder");
  }

  @Test
  void aFolderWithALinkHasNoRoot() throws Exception {
    Path model = Files.createDirectories(folder.resolve("model"));
    Files.createSymbolicLink(model.resolve("config.json"), Path.of("/etc/hostname"));
    assertThatThrownBy(() -> Folders.manifest(model))
        .isInstanceOf(InvalidJobException.class)
        .hasMessageContaining("config.json");
  }
}

package io.rigmesh.worker.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class WorkerMainTest {
  @Test
  void theLaunchsCommandIsWhatTheWorkerReads() {
    WorkerLaunch launch =
        new WorkerLaunch(
            Path.of("/jre/bin/java"),
            "classes",
            Path.of("/h/0.sock"),
            "cpu",
            3,
            1L << 30,
            Path.of("/h/w"),
            false);
    List<String> command = launch.command();
    int main = command.indexOf(WorkerMain.class.getName());
    assertThat(command.subList(0, main))
        .contains("-Xmx1073741824", "-cp", "classes", "-Drigmesh.native-code=off");
    assertThat(launch.withNativeCode(true).command()).contains("-Drigmesh.native-code=on");
    assertThat(
            WorkerMain.Options.parse(
                command.subList(main + 1, command.size()).toArray(String[]::new)))
        .isEqualTo(new WorkerMain.Options(Path.of("/h/0.sock"), "cpu", 3, Path.of("/h/w")));
  }

  @Test
  void aMissingOrWrongOptionIsNamed() {
    assertThatThrownBy(() -> WorkerMain.Options.parse("--socket", "s"))
        .hasMessageContaining("--device is missing");
    assertThatThrownBy(() -> WorkerMain.Options.parse("--port", "1"))
        .hasMessageContaining("'--port'");
    assertThatThrownBy(() -> WorkerMain.Options.parse("--socket"))
        .hasMessageContaining("'--socket'");
    assertThatThrownBy(() ->
            WorkerMain.Options.parse(
                "--socket", "s", "--device", "cpu", "--threads", "none", "--home", "h"))
        .hasMessageContaining("'none'");
  }
}

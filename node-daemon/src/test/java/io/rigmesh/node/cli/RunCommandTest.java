package io.rigmesh.node.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.protocol.Task;
import io.rigmesh.worker.task.LanguageModelFolder;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `rigmesh run` on a small model, with and without its chat template.
class RunCommandTest {
  @TempDir Path folder;
  private Path model;
  private String err = "";

  @BeforeEach
  void writeModel() {
    model = folder.resolve("model");
    LanguageModelFolder.writeInitial(
        new Task.Architecture(1, 16, 2, 1, 24, 300),
        128,
        3,
        "some words, some more words, and the words that follow them",
        model);
  }

  @Test
  void aMessageGoesThroughTheTemplateWithItsDay() throws IOException {
    Files.writeString(
        model.resolve("chat_template.jinja"),
        "{% for m in messages %}{{ m.role }}: {{ m.content }} {% endfor %}{{ strftime_now('%d.%m.%Y') }}\n");
    String chat =
        run(0, "--chat", "--prompt", "some words", "--system", "more", "--date", "2026-01-31");
    assertThat(chat).startsWith("[");
    assertThat(chat).isEqualTo(run(0, "--prompt", "system: more user: some words 31.01.2026"));
    assertThat(chat).isNotEqualTo(run(0, "--prompt", "some words"));
  }

  @Test
  void aModelWithoutATemplateTakesNoMessages() {
    assertThat(run(2, "--chat", "--prompt", "some words")).isEmpty();
    assertThat(err).contains("has no chat template");
  }

  @Test
  void whatBelongsToAChatIsRefusedWithoutOne() {
    run(2, "--prompt", "some words", "--system", "more");
    assertThat(err).contains("--system and --date go with --chat");
  }

  @Test
  void whatIsNotSaidIsAsTheModelsMakersSuggestWhereThatIsWanted() throws IOException {
    Path file = model.resolve("generation_config.json");
    Files.writeString(
        file,
        "{\"temperature\":1.7,\"top_k\":40,\"top_p\":0.9,\"min_p\":0.01,"
            + "\"repetition_penalty\":1.5}");
    String greedy = run(0, "--prompt", "some words");
    String said =
        run(
            0,
            "--prompt",
            "some words",
            "--temperature",
            "1.7",
            "--top-k",
            "40",
            "--top-p",
            "0.9",
            "--min-p",
            "0.01",
            "--repetition-penalty",
            "1.5");
    assertThat(said).isNotEqualTo(greedy);
    assertThat(run(0, "--prompt", "some words", "--suggested")).isEqualTo(said);
    // What is said here goes before it.
    assertThat(
            run(
                0,
                "--prompt",
                "some words",
                "--suggested",
                "--temperature",
                "0",
                "--repetition-penalty",
                "1"))
        .isEqualTo(greedy);
    Files.delete(file);
    run(2, "--prompt", "some words", "--suggested");
    assertThat(err).contains("generation_config.json").contains("say --temperature");
  }

  private String run(int exitCode, String... arguments) {
    List<String> all =
        new ArrayList<>(
            List.of("run", "--model", model.toString(), "--tokens", "--max-tokens", "6"));
    all.addAll(List.of(arguments));
    PrintStream outBefore = System.out;
    PrintStream errBefore = System.err;
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream errors = new ByteArrayOutputStream();
    try {
      System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
      System.setErr(new PrintStream(errors, true, StandardCharsets.UTF_8));
      int code = CommandTree.run(all.toArray(String[]::new));
      err = errors.toString(StandardCharsets.UTF_8);
      assertThat(code).as(err).isEqualTo(exitCode);
    } finally {
      System.setOut(outBefore);
      System.setErr(errBefore);
    }
    return out.toString(StandardCharsets.UTF_8);
  }
}

package io.rigmesh.worker.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.protocol.Evidence;
import io.rigmesh.protocol.GenerateOptions;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.Profile;
import io.rigmesh.protocol.Task;
import io.rigmesh.worker.format.ElementType;
import io.rigmesh.worker.generate.FinishReason;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.vector.VectorKernels;
import io.rigmesh.worker.llama.FamilyFolder;
import io.rigmesh.worker.task.Folders;
import io.rigmesh.worker.task.InvalidJobException;
import io.rigmesh.worker.task.JobFixtures;
import io.rigmesh.worker.task.LocalEngine;
import io.rigmesh.worker.task.ModelShelf;
import io.rigmesh.worker.task.RunEvent;
import io.rigmesh.worker.task.RunRequest;
import io.rigmesh.worker.tokenizer.BpeTrainer;
import io.rigmesh.worker.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A folder as Hugging Face's hub has them, of a model that was not made here (shards of BF16, head
/// norms, windows, a chat template), from a chat to a verified receipt.
class HuggingFaceFolderTest {
  private static final String CHAT =
      """
      {"date": "2026-11-22", "messages": [{"role": "system", "content": "Sing."},
       {"role": "user", "content": "Which miller?"}]}
      """;
  private static final String PROMPT =
      """
      <|im_start|>system
      Sing.<|im_end|>
      <|im_start|>user
      Which miller?<|im_end|>
      <|im_start|>assistant
      """;
  private static final Task.Generate TASK =
      new Task.Generate(
          12,
          0.9f,
          20,
          0.95f,
          new GenerateOptions(
              true, 0f, 1.1f, 0f, 0f, new TreeMap<>(), List.of(), OptionalInt.empty()));

  @TempDir Path folder;
  private Path model;

  @BeforeEach
  void writeModel() throws IOException {
    model = folder.resolve("model");
    FamilyFolder.write(
        model,
        """
        {"model_type": "qwen3", "architectures": ["Qwen3ForCausalLM"], "vocab_size": 330,
         "hidden_size": 28, "num_hidden_layers": 3, "num_attention_heads": 3, "head_dim": 12,
         "num_key_value_heads": 1, "intermediate_size": 44, "max_position_embeddings": 512,
         "use_sliding_window": true, "sliding_window": 9, "max_window_layers": 1,
         "rope_scaling": {"rope_type": "yarn", "factor": 4.0,
           "original_max_position_embeddings": 128},
         "rope_theta": 1000000.0, "tie_word_embeddings": true, "eos_token_id": 0,
         "torch_dtype": "bfloat16"}
        """,
        ElementType.BF16,
        3,
        5);
    new BpeTrainer(330, 2, List.of("<|endoftext|>", "<|im_start|>", "<|im_end|>"))
        .add(JobFixtures.text())
        .train()
        .write(model.resolve("tokenizer.json"));
    Files.writeString(
        model.resolve("tokenizer_config.json"),
        """
        {"bos_token": null, "eos_token": "<|im_end|>", "model_max_length": 512}
        """);
    try (InputStream template =
        HuggingFaceFolderTest.class.getResourceAsStream("/chat-templates/chatml.jinja")) {
      Files.copy(template, model.resolve("chat_template.jinja"));
    }
    ends("2, 0");
  }

  @Test
  void aChatIsRenderedGeneratedAndVerified() {
    Path input = JobFixtures.write(folder.resolve("input"), CHAT);
    Job job = JobFixtures.job(TASK, modelRoot(), input, 77);
    RunRequest request =
        JobFixtures.request(job, Optional.of(model), input, folder.resolve("generate"));
    try (Kernels kernels = new VectorKernels(2)) {
      RunEvent.Done done = JobFixtures.run(kernels, request);
      Evidence.Generation evidence = (Evidence.Generation) done.evidence();
      assertThat(evidence.promptTokens()).isEqualTo(tokens(PROMPT)).startsWith(1).contains(2);
      try (ModelShelf shelf = ModelShelf.onCpu(kernels)) {
        assertThat(
                new Verifier(kernels, shelf)
                    .verify(
                        JobFixtures.receiptFile(job, done),
                        JobFixtures.materials(request),
                        new Samples.All(),
                        progress -> {}))
            .isInstanceOf(Verdict.Exact.class);
      }
      try (LocalEngine engine = LocalEngine.open("cpu", 1, Profile.F32_V1)) {
        assertThat(engine.generate(model, CHAT, TASK, 77, token -> {}, () -> false).tokens())
            .isEqualTo(evidence.tokens());
      }
    }
  }

  @Test
  void aTextEndsWithAnyTokenThatGenerationConfigNames() throws IOException {
    try (LocalEngine engine = LocalEngine.open("cpu", 1, Profile.F32_V1)) {
      List<Integer> free = generate(engine).tokens();
      int end = free.get(2);
      ends("329, " + end);
      LocalEngine.Generated ended = generate(engine);
      assertThat(ended.reason()).isEqualTo(FinishReason.STOP_TOKEN);
      assertThat(ended.tokens()).isEqualTo(free.subList(0, free.indexOf(end) + 1));
    }
  }

  @Test
  void whatTheTemplateOrTheModelCannotTakeIsSaidToTheSender() throws IOException {
    Files.writeString(
        model.resolve("chat_template.jinja"), "{{ raise_exception('Only one message.') }}");
    try (LocalEngine engine = LocalEngine.open("cpu", 1, Profile.F32_V1)) {
      assertThatThrownBy(() -> generate(engine))
          .isInstanceOf(InvalidJobException.class)
          .hasMessageContaining("refuses these messages: Only one message.");
      Files.delete(model.resolve("chat_template.jinja"));
      assertThatThrownBy(() -> generate(engine))
          .isInstanceOf(InvalidJobException.class)
          .hasMessageContaining("no chat template");
    }
  }

  @Test
  void aTemplateMayAddAsMuchAsAJobPaysForAndNoMore() throws IOException {
    Path template = model.resolve("chat_template.jinja");
    long inputBytes = CHAT.getBytes(StandardCharsets.UTF_8).length;
    try (LocalEngine engine = LocalEngine.open("cpu", 1, Profile.F32_V1)) {
      // More tokens than the messages have bytes, which is what a text without a template can have.
      Files.writeString(template, "<|im_start|>".repeat((int) inputBytes + 100));
      assertThat(generate(engine).tokens()).isNotEmpty();
      long most = TASK.promptTokensMax(inputBytes);
      Files.writeString(template, "<|im_start|>".repeat((int) most + 1));
      assertThatThrownBy(() -> generate(engine))
          .isInstanceOf(InvalidJobException.class)
          .hasMessageContaining("%d tokens", most + 1)
          .hasMessageContaining("pays for at most %d", most)
          .hasMessageContaining("chat template");
    }
  }

  private LocalEngine.Generated generate(LocalEngine engine) {
    return engine.generate(model, CHAT, TASK, 77, token -> {}, () -> false);
  }

  private void ends(String ids) throws IOException {
    Files.writeString(
        model.resolve("generation_config.json"),
        "{\"do_sample\": true, \"temperature\": 0.7, \"eos_token_id\": [" + ids + "]}");
  }

  private Hash modelRoot() {
    return Folders.manifest(model).root();
  }

  private List<Integer> tokens(String text) {
    try (Tokenizer tokenizer = Tokenizer.open(model.resolve("tokenizer.json"))) {
      return Arrays.stream(tokenizer.encode(text, false)).boxed().toList();
    }
  }
}

import com.github.tjake.jlama.model.AbstractModel;
import com.github.tjake.jlama.model.ModelSupport;
import com.github.tjake.jlama.safetensors.DType;
import com.github.tjake.jlama.safetensors.SafeTensorSupport;
import com.github.tjake.jlama.tensor.AbstractTensor;
import com.github.tjake.jlama.tensor.KvBufferCache;
import com.github.tjake.jlama.tensor.operations.TensorOperationsProvider;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/// The peer's process: Jlama on the model of a folder, which it loads in F32 or quantises to Q4.
///
/// Arguments: folder, thread count, `F32` or `Q4`. On lines of their own, since Jlama writes to the
/// same output, it answers `ready` with the name of its tensor operations, and then every line
/// `PROMPT TOKENS` of its input with `seconds`, those that a new prompt of PROMPT tokens took and
/// those of TOKENS greedily generated tokens after it.
final class JlamaMain {
  private JlamaMain() {}

  public static void main(String[] arguments) throws Exception {
    Path folder = Path.of(arguments[0]);
    boolean f32 = arguments[2].equals("F32");
    if (!f32) {
      // Jlama's own conversion, as its command line does it; it copies these files with the model. Norms
      // and the embedding table stay.
      for (String name : new String[] {"README.md", "tokenizer_config.json"}) {
        if (Files.notExists(folder.resolve(name))) {
          Files.writeString(folder.resolve(name), "{}");
        }
      }
      Path quantised = folder.resolve("q4-" + ProcessHandle.current().pid());
      String[] skipped = {"norm", "embed_tokens"};
      folder =
          SafeTensorSupport.quantizeModel(
              folder, DType.Q4, skipped, new String[0], Optional.of(quantised));
    }
    AbstractModel model =
        ModelSupport.loadModel(
            folder.toFile(),
            folder.toFile(),
            DType.F32,
            f32 ? DType.F32 : DType.I8,
            Optional.empty(),
            Optional.of(Integer.parseInt(arguments[1])));
    System.out.println("\nready " + TensorOperationsProvider.get().getClass().getSimpleName());
    BufferedReader lines =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    KvBufferCache caches = new KvBufferCache(model);
    String line = lines.readLine();
    while (line != null) {
      String[] counts = line.split(" ");
      int prompt = Integer.parseInt(counts[0]);
      int tokens = Integer.parseInt(counts[1]);
      System.out.println("\nseconds " + run(model, caches, prompt, tokens));
      line = lines.readLine();
    }
    System.exit(0);
  }

  private static String run(AbstractModel model, KvBufferCache caches, int prompt, int tokens) {
    int[] ids = tokens(prompt, model.getConfig().vocabularySize);
    try (KvBufferCache.KvBuffer cache = caches.getEphemeralKvBuffer();
        AbstractTensor<?, ?> logits = model.makeDenseTensor(model.getConfig().vocabularySize)) {
      long start = System.nanoTime();
      AbstractTensor<?, ?> hidden = model.batchForward(ids, 0, cache);
      int last = hidden.shape().first() - 1;
      int token = model.sample(hidden.slice(last), 0f, 0.5f, logits);
      hidden.close();
      long prompted = System.nanoTime();
      for (int i = 0; i < tokens; i++) {
        AbstractTensor<?, ?> next = model.forward(token, prompt + i, cache, Optional.empty());
        token = model.sample(next.slice(0), 0f, 0.5f, logits);
        next.close();
      }
      long end = System.nanoTime();
      return (prompted - start) / 1e9 + " " + (end - prompted) / 1e9;
    }
  }

  /// A prompt of so many tokens, as LanguageModelSpeed makes it.
  private static int[] tokens(int count, int vocabulary) {
    int[] tokens = new int[count];
    for (int i = 0; i < count; i++) {
      tokens[i] = i * 7919 % vocabulary;
    }
    return tokens;
  }
}

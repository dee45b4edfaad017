package io.rigmesh.worker.task;

import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Profile;
import io.rigmesh.protocol.Task;
import io.rigmesh.worker.device.ComputeDevice;
import io.rigmesh.worker.embed.Embedder;
import io.rigmesh.worker.generate.FinishReason;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.serve.EngineException;
import io.rigmesh.worker.serve.SequenceEvent;
import io.rigmesh.worker.serve.SequenceRequest;
import io.rigmesh.worker.serve.TokenStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/// The engine alone, in this process, with no job, no commitments and no network: what `rigmesh
/// run` and `rigmesh embed` use. It gives the bits that a job gives. Serves one thread at a time.
public final class LocalEngine implements AutoCloseable {
  private final ComputeDevice device;
  private final Kernels kernels;
  private final Profile profile;

  private LocalEngine(ComputeDevice device, Profile profile) {
    this.device = device;
    this.kernels = device.host();
    this.profile = profile;
  }

  /// A generated token as it comes.
  ///
  /// @param position its place in the sequence, the prompt counted
  /// @param id the token
  /// @param text what it adds to the text; whole characters only, so empty while one is still open
  public record TextToken(long position, int id, String text) {}

  /// A finished generation.
  ///
  /// @param promptTokens the prompt's token ids
  /// @param tokens the generated token ids
  /// @param text their text, without special tokens
  /// @param reason why it ended
  public record Generated(
      List<Integer> promptTokens, List<Integer> tokens, String text, FinishReason reason) {
    /// Copies the lists.
    public Generated {
      promptTokens = List.copyOf(promptTokens);
      tokens = List.copyOf(tokens);
    }
  }

  /// Opens a device.
  ///
  /// @param device such as `cpu`
  /// @param threads how many compute, which never changes a bit
  /// @param profile what models compute in
  /// @throws io.rigmesh.worker.device.DeviceException if it cannot be used
  public static LocalEngine open(String device, int threads, Profile profile) {
    return new LocalEngine(ComputeDevice.open(device, threads), profile);
  }

  /// What the device calls itself.
  public String deviceName() {
    return device.name();
  }

  /// Continues a prompt.
  ///
  /// @param sink gets every token as it comes, on this thread
  /// @param cancelled asked before every token; what is there by then is returned
  /// @throws io.rigmesh.worker.format.ModelFormatException if a file of the model is missing or
  ///   malformed
  /// @throws InvalidJobException if the prompt or a setting does not fit the model
  public Generated generate(
      Path modelFolder,
      String prompt,
      Task.Generate task,
      long seed,
      Consumer<TextToken> sink,
      BooleanSupplier cancelled) {
    try (LanguageModel model =
        LanguageModel.open(modelFolder, profile, kernels, device::load, device.limits())) {
      Generation generation = Generation.of(model, prompt, task, seed);
      try (TokenStream stream =
          generation.start(new int[0], SequenceRequest.Mode.GENERATE, Hash.ZERO)) {
        return follow(generation, stream, sink, cancelled);
      } catch (EngineException e) {
        throw new InvalidJobException(String.valueOf(e.getMessage()), e);
      }
    }
  }

  private static Generated follow(
      Generation generation,
      TokenStream stream,
      Consumer<TextToken> sink,
      BooleanSupplier cancelled) {
    List<Integer> tokens = new ArrayList<>();
    StringBuilder text = new StringBuilder();
    GenerationText words = generation.text();
    List<Integer> prompt = generation.request().prompt();
    while (true) {
      if (cancelled.getAsBoolean()) {
        return new Generated(prompt, tokens, text.toString(), FinishReason.CANCELLED);
      }
      switch (next(stream)) {
        case SequenceEvent.Token(var token, var _) -> {
          tokens.add(token.tokenId());
          String piece = words.append(token.tokenId());
          Optional<FinishReason> reason = generation.reasonToStop(token, words);
          if (reason.isPresent()) {
            piece += words.finish();
          }
          text.append(piece);
          sink.accept(new TextToken(token.position(), token.tokenId(), piece));
          if (reason.isPresent()) {
            return new Generated(prompt, tokens, text.toString(), reason.get());
          }
        }
        case SequenceEvent.Ended(var ending) -> {
          return new Generated(prompt, tokens, text.toString(), ending.reason());
        }
        case SequenceEvent.Failed(var cause) -> throw cause;
      }
    }
  }

  private static SequenceEvent next(TokenStream stream) {
    try {
      return stream.next();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancellationException("interrupted while generating");
    }
  }

  /// Turns sentences into vectors, pooled and normalised as the model's folder says.
  ///
  /// @throws io.rigmesh.worker.format.ModelFormatException if a file of the model is missing or
  ///   malformed
  public List<float[]> embed(Path modelFolder, List<String> sentences) {
    try (Embedder embedder = Embedder.open(modelFolder, kernels, profile, device.encoders())) {
      return embedder.embed(sentences);
    }
  }

  @Override
  public void close() {
    device.close();
  }
}

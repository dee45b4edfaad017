package io.rigmesh.worker.embed;

import io.rigmesh.worker.format.SourceFile;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.JarURLConnection;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/// The real all-MiniLM-L6-v2 of the artifact on the test class path, imported once per JVM straight
/// out of its jar.
public final class MiniLm {

  private static final String ONNX = "all-minilm-l6-v2.onnx";
  private static final String TOKENIZER = "all-minilm-l6-v2-tokenizer.json";

  private static final Path FOLDER = importOnce();

  private MiniLm() {}

  /// The imported model folder.
  public static Path folder() {
    return FOLDER;
  }

  /// The export's bytes, for ONNX Runtime.
  public static byte[] onnx() {
    try (InputStream in = MiniLm.class.getResourceAsStream("/" + ONNX)) {
      return Objects.requireNonNull(in).readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// The export as an entry of its jar.
  static SourceFile onnxSource() {
    return source(ONNX);
  }

  /// The tokenizer as an entry of its jar.
  static SourceFile tokenizerSource() {
    return source(TOKENIZER);
  }

  private static SourceFile source(String name) {
    URL url = Objects.requireNonNull(MiniLm.class.getResource("/" + name));
    try {
      JarURLConnection connection = (JarURLConnection) url.openConnection();
      URI jar = connection.getJarFileURL().toURI();
      return new SourceFile(Path.of(jar), Optional.of(connection.getEntryName()));
    } catch (IOException | URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Path importOnce() {
    try {
      Path folder = Files.createTempDirectory("minilm");
      EmbeddingModelImport.usual().run(onnxSource(), tokenizerSource(), folder);
      Runtime.getRuntime().addShutdownHook(new Thread(() -> delete(folder)));
      return folder;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void delete(Path folder) {
    try (Stream<Path> files = Files.walk(folder)) {
      files.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}

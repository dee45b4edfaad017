package io.rigmesh.worker.format;

import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;

/// A Hugging Face style model folder: `config.json`, `tokenizer.json` and the weights, either in
/// one `model.safetensors` or in shards that `model.safetensors.index.json` lists. Files are
/// mapped, not read; close it when the model has taken its weights.
public final class ModelFolder implements AutoCloseable {

  /// The longest JSON file, other than a tokenizer, that is read from a model folder.
  public static final int CONFIG_BYTES_MAX = 1 << 20;

  private static final int INDEX_BYTES_MAX = 16 << 20;
  private static final int SHARDS_MAX = 1000;
  private static final String SINGLE = "model.safetensors";
  private static final String INDEX = "model.safetensors.index.json";

  private final Path path;
  private final JsonField config;
  private final Map<String, SafetensorsFile> fileOfTensor;
  private final Collection<SafetensorsFile> files;

  private ModelFolder(
      Path path,
      JsonField config,
      Map<String, SafetensorsFile> fileOfTensor,
      Collection<SafetensorsFile> files) {
    this.path = path;
    this.config = config;
    this.fileOfTensor = fileOfTensor;
    this.files = files;
  }

  /// Opens a folder: reads its config and maps its weights.
  ///
  /// @throws ModelFormatException when a file is missing or malformed
  public static ModelFolder open(Path path) {
    JsonField config = JsonField.read(path.resolve("config.json"), CONFIG_BYTES_MAX);
    Map<String, SafetensorsFile> files = new LinkedHashMap<>();
    Map<String, SafetensorsFile> fileOfTensor = new LinkedHashMap<>();
    boolean complete = false;
    try {
      if (Files.exists(path.resolve(INDEX)) && !Files.exists(path.resolve(SINGLE))) {
        openShards(path, files, fileOfTensor);
      } else {
        SafetensorsFile file = openWeights(path.resolve(SINGLE));
        files.put(SINGLE, file);
        file.names().forEach(name -> fileOfTensor.put(name, file));
      }
      complete = true;
    } finally {
      if (!complete) {
        files.values().forEach(SafetensorsFile::close);
      }
    }
    return new ModelFolder(path, config, fileOfTensor, files.values());
  }

  private static SafetensorsFile openWeights(Path file) {
    if (!Files.isRegularFile(file)) {
      throw ModelFormatException.in(
          file,
          "file",
          ModelFormatException.NO_OFFSET,
          "is missing; a model folder holds config.json, tokenizer.json and model.safetensors");
    }
    return SafetensorsFile.open(file);
  }

  private static void openShards(
      Path path, Map<String, SafetensorsFile> files, Map<String, SafetensorsFile> fileOfTensor) {
    JsonField map = JsonField.read(path.resolve(INDEX), INDEX_BYTES_MAX).member("weight_map");
    for (Map.Entry<String, JsonField> entry : map.members().entrySet()) {
      JsonField field = entry.getValue();
      String shard = field.text();
      // A shard is a plain name beside the index: a path could lead out of the folder.
      if (!shard.matches("[A-Za-z0-9_][A-Za-z0-9._-]*\\.safetensors")) {
        throw field.unfit("is \"" + shard + "\", must be the plain name of a .safetensors file");
      }
      SafetensorsFile file = files.get(shard);
      if (file == null) {
        if (files.size() == SHARDS_MAX) {
          throw field.unfit("names more than " + SHARDS_MAX + " shards");
        }
        file = openWeights(path.resolve(shard));
        files.put(shard, file);
      }
      if (file.find(entry.getKey()).isEmpty()) {
        throw field.unfit("the shard " + shard + " does not hold this tensor");
      }
      fileOfTensor.put(entry.getKey(), file);
    }
  }

  /// The folder.
  public Path path() {
    return path;
  }

  /// The root of `config.json`.
  public JsonField config() {
    return config;
  }

  /// The folder's `tokenizer.json`, which need not exist.
  public Path tokenizerFile() {
    return path.resolve("tokenizer.json");
  }

  /// The names of all tensors, sorted.
  public SortedSet<String> names() {
    return new TreeSet<>(fileOfTensor.keySet());
  }

  /// What a tensor is, or empty when the model has none of that name.
  public Optional<StoredTensor> find(String name) {
    return Optional.ofNullable(fileOfTensor.get(name)).flatMap(file -> file.find(name));
  }

  /// The elements of a tensor that must have the given shape, row-major; see
  /// [SafetensorsFile#floats(String)].
  ///
  /// @throws ModelFormatException when the tensor is missing, or its shape or type is not what the
  ///   model needs
  public float[] floats(String name, long... shape) {
    SafetensorsFile file = file(name);
    file.floatTensor(name, shape);
    return file.floats(name);
  }

  /// As [#find], for a tensor of floats that must be there with the given shape.
  ///
  /// @throws ModelFormatException when it is missing, or its shape or type is not what the model
  ///   needs
  public StoredTensor floatTensor(String name, long... shape) {
    return file(name).floatTensor(name, shape);
  }

  /// The bytes of a tensor as the file has them, valid until this is closed.
  ///
  /// @throws ModelFormatException when the tensor is missing
  public MemorySegment bytes(String name) {
    return file(name).bytes(name);
  }

  private SafetensorsFile file(String name) {
    SafetensorsFile file = fileOfTensor.get(name);
    if (file == null) {
      throw ModelFormatException.in(
          path, name, ModelFormatException.NO_OFFSET, "no weights file holds this tensor");
    }
    return file;
  }

  @Override
  public void close() {
    files.forEach(SafetensorsFile::close);
  }
}

package io.rigmesh.worker.bert;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.rigmesh.worker.format.AtomicFile;
import io.rigmesh.worker.format.JsonField;
import io.rigmesh.worker.kernels.HeadLayout;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;

/// The sizes of a BERT encoder, as `config.json` of a Hugging Face `BertModel` has them.
///
/// @param vocabularySize the rows of the word embedding
/// @param hiddenSize the length of a token's vector
/// @param layers how many encoder layers
/// @param heads the attention heads of a layer, among which hiddenSize is shared out
/// @param intermediateSize the length of the feed-forward layer
/// @param positionsMax the longest sequence, in tokens
/// @param tokenTypes the rows of the token type embedding
/// @param layerNormEpsilon what is added to a variance
public record BertConfig(
    int vocabularySize,
    int hiddenSize,
    int layers,
    int heads,
    int intermediateSize,
    int positionsMax,
    int tokenTypes,
    float layerNormEpsilon) {

  private static final String MODEL_TYPE = "bert";

  public BertConfig {
    if (hiddenSize % heads != 0) {
      throw new IllegalArgumentException(
          "hiddenSize " + hiddenSize + " is no multiple of heads " + heads);
    }
  }

  /// The heads of a layer: as many for keys as for queries.
  public HeadLayout headLayout() {
    return new HeadLayout(heads, heads, hiddenSize / heads);
  }

  /// Refuses what a model of these sizes cannot take in one pass.
  ///
  /// @param ids the tokens of all sequences, one after another
  /// @param lengths how many of them belong to each sequence
  /// @param rowsMax the most tokens of a pass
  /// @throws IllegalArgumentException when an id is not in the vocabulary, a sequence is empty or
  ///   longer than the model's positions, or there are more than rowsMax tokens
  public void checkPass(int[] ids, int[] lengths, int rowsMax) {
    int row = 0;
    for (int length : lengths) {
      if (length < 1 || length > positionsMax || length > ids.length - row) {
        throw new IllegalArgumentException(
            "a sequence has "
                + length
                + " tokens, must have from 1 to "
                + Math.min(positionsMax, ids.length - row));
      }
      row += length;
    }
    if (row != ids.length || row > rowsMax || row == 0) {
      throw new IllegalArgumentException(
          "there are "
              + ids.length
              + " tokens, sequences of "
              + row
              + ", and room for "
              + rowsMax
              + " in a pass");
    }
    for (int i = 0; i < row; i++) {
      if (ids[i] < 0 || ids[i] >= vocabularySize) {
        throw new IllegalArgumentException(
            "token " + ids[i] + " at index " + i + " is not below " + vocabularySize);
      }
    }
  }

  /// Whether the root of a `config.json` is a BERT's, by its `model_type`.
  public static boolean isBert(JsonField config) {
    return config.find("model_type").map(type -> type.text().equals(MODEL_TYPE)).orElse(false);
  }

  /// Reads the root of a `config.json`.
  ///
  /// @throws io.rigmesh.worker.format.ModelFormatException when a field is missing, out of range,
  ///   or asks for a variant of BERT that this encoder is not
  public static BertConfig read(JsonField config) {
    config.member("model_type").text(List.of(MODEL_TYPE));
    config.find("hidden_act").ifPresent(act -> act.text(List.of("gelu")));
    config.find("position_embedding_type").ifPresent(type -> type.text(List.of("absolute")));
    config
        .find("is_decoder")
        .filter(JsonField::flag)
        .ifPresent(flag -> {
          throw flag.unfit("is true; only encoders are supported");
        });
    JsonField heads = config.member("num_attention_heads");
    int hiddenSize = config.member("hidden_size").integer(1, 1 << 14);
    if (hiddenSize % heads.integer(1, 1 << 10) != 0) {
      throw heads.unfit("must divide hidden_size " + hiddenSize);
    }
    return new BertConfig(
        config.member("vocab_size").integer(1, 1 << 24),
        hiddenSize,
        config.member("num_hidden_layers").integer(1, 1 << 10),
        heads.integer(1, 1 << 10),
        config.member("intermediate_size").integer(1, 1 << 16),
        config.member("max_position_embeddings").integer(1, 1 << 20),
        config.member("type_vocab_size").integer(1, 1 << 10),
        (float) config.member("layer_norm_eps").number(0, 1));
  }

  /// Writes the `config.json` of a `BertModel` of these sizes.
  ///
  /// @param folder an existing folder
  /// @param paddingToken the id of the tokenizer's padding token, which only other programs use
  public void write(Path folder, int paddingToken) {
    AtomicFile.write(folder.resolve("config.json"), json(paddingToken));
  }

  private byte[] json(int paddingToken) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (JsonGenerator json = new JsonFactory().createGenerator(out).useDefaultPrettyPrinter()) {
      json.writeStartObject();
      json.writeArrayFieldStart("architectures");
      json.writeString("BertModel");
      json.writeEndArray();
      json.writeNumberField("attention_probs_dropout_prob", 0.1);
      json.writeStringField("hidden_act", "gelu");
      json.writeNumberField("hidden_dropout_prob", 0.1);
      json.writeNumberField("hidden_size", hiddenSize);
      json.writeNumberField("initializer_range", 0.02);
      json.writeNumberField("intermediate_size", intermediateSize);
      json.writeNumberField("layer_norm_eps", layerNormEpsilon);
      json.writeNumberField("max_position_embeddings", positionsMax);
      json.writeStringField("model_type", MODEL_TYPE);
      json.writeNumberField("num_attention_heads", heads);
      json.writeNumberField("num_hidden_layers", layers);
      json.writeNumberField("pad_token_id", paddingToken);
      json.writeStringField("position_embedding_type", "absolute");
      json.writeStringField("torch_dtype", "float32");
      json.writeNumberField("type_vocab_size", tokenTypes);
      json.writeNumberField("vocab_size", vocabularySize);
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }
}

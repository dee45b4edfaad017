package io.rigmesh.worker.tokenizer;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.rigmesh.worker.format.AtomicFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// A byte-level BPE vocabulary: what [BpeTrainer] learns and a `tokenizer.json` holds.
///
/// @param specialTokens the tokens with the ids from 0 on, which text never gives
/// @param tokens the other tokens in the order of their ids, written in the byte alphabet of GPT-2
/// @param merges the pairs of tokens that are joined, the earliest first
public record BpeVocabulary(List<String> specialTokens, List<String> tokens, List<Merge> merges) {

  /// Two neighbours that become one token.
  public record Merge(String left, String right) {}

  public BpeVocabulary {
    specialTokens = List.copyOf(specialTokens);
    tokens = List.copyOf(tokens);
    merges = List.copyOf(merges);
  }

  /// How many ids there are.
  public int size() {
    return specialTokens.size() + tokens.size();
  }

  /// Writes the `tokenizer.json` that the Hugging Face libraries load: byte-level, no prefix space,
  /// no template. The same vocabulary always gives the same bytes.
  ///
  /// @throws UncheckedIOException when it cannot be written
  public void write(Path tokenizerJson) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (JsonGenerator json = new JsonFactory().createGenerator(out).useDefaultPrettyPrinter()) {
      write(json);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    AtomicFile.write(tokenizerJson, out.toByteArray());
  }

  private void write(JsonGenerator json) throws IOException {
    json.writeStartObject();
    json.writeStringField("version", "1.0");
    json.writeNullField("truncation");
    json.writeNullField("padding");
    json.writeArrayFieldStart("added_tokens");
    for (int id = 0; id < specialTokens.size(); id++) {
      json.writeStartObject();
      json.writeNumberField("id", id);
      json.writeStringField("content", specialTokens.get(id));
      json.writeBooleanField("single_word", false);
      json.writeBooleanField("lstrip", false);
      json.writeBooleanField("rstrip", false);
      json.writeBooleanField("normalized", false);
      json.writeBooleanField("special", true);
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeNullField("normalizer");
    byteLevel(json, "pre_tokenizer");
    json.writeNullField("post_processor");
    byteLevel(json, "decoder");
    json.writeObjectFieldStart("model");
    json.writeStringField("type", "BPE");
    json.writeNullField("dropout");
    json.writeNullField("unk_token");
    json.writeNullField("continuing_subword_prefix");
    json.writeNullField("end_of_word_suffix");
    json.writeBooleanField("fuse_unk", false);
    json.writeBooleanField("byte_fallback", false);
    json.writeBooleanField("ignore_merges", false);
    json.writeObjectFieldStart("vocab");
    int id = 0;
    for (String token : specialTokens) {
      json.writeNumberField(token, id++);
    }
    for (String token : tokens) {
      json.writeNumberField(token, id++);
    }
    json.writeEndObject();
    json.writeArrayFieldStart("merges");
    for (Merge merge : merges) {
      json.writeArray(new String[] {merge.left(), merge.right()}, 0, 2);
    }
    json.writeEndArray();
    json.writeEndObject();
    json.writeEndObject();
  }

  private static void byteLevel(JsonGenerator json, String field) throws IOException {
    json.writeObjectFieldStart(field);
    json.writeStringField("type", "ByteLevel");
    json.writeBooleanField("add_prefix_space", false);
    json.writeBooleanField("trim_offsets", true);
    json.writeBooleanField("use_regex", true);
    json.writeEndObject();
  }

  /// A vocabulary that is being learnt.
  static final class Builder {
    private final List<String> specialTokens;
    private final List<String> tokens = new ArrayList<>();
    private final Map<String, Integer> ids = new HashMap<>();
    private final List<Merge> merges = new ArrayList<>();

    Builder(List<String> specialTokens) {
      this.specialTokens = specialTokens;
      for (String token : specialTokens) {
        ids.put(token, ids.size());
      }
    }

    int size() {
      return specialTokens.size() + tokens.size();
    }

    /// The id of a token, which is new unless another merge has made the same text.
    int token(String text) {
      Integer known = ids.get(text);
      if (known != null) {
        return known;
      }
      int id = size();
      ids.put(text, id);
      tokens.add(text);
      return id;
    }

    int merge(int left, int right) {
      Merge merge = new Merge(text(left), text(right));
      merges.add(merge);
      return token(merge.left() + merge.right());
    }

    private String text(int id) {
      return id < specialTokens.size()
          ? specialTokens.get(id)
          : tokens.get(id - specialTokens.size());
    }

    BpeVocabulary build() {
      return new BpeVocabulary(specialTokens, tokens, merges);
    }
  }
}

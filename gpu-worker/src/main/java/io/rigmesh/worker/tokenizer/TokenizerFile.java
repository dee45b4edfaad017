package io.rigmesh.worker.tokenizer;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import io.rigmesh.worker.format.ModelFormatException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/// What Java needs to know of a `tokenizer.json`, read in one pass; the native library reads the
/// rest.
///
/// @param json the whole text
/// @param vocabularySize one more than the highest id
/// @param addedTokens the ids of the added tokens (`<|endoftext|>`, `[CLS]`...) by their text, in
///   the file's order
record TokenizerFile(String json, int vocabularySize, Map<String, Integer> addedTokens) {

  /// The longest file that is read; the largest published vocabularies need about 35 MB.
  static final int BYTES_MAX = 64 << 20;

  private static final int ID_MAX = 1 << 24;

  private static final JsonFactory FACTORY =
      JsonFactory.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(64).build())
          .build();

  static TokenizerFile read(Path file) {
    if (!Files.isRegularFile(file)) {
      throw new ModelFormatException(
          file.toString(), "file", ModelFormatException.NO_OFFSET, "is missing or not a file");
    }
    byte[] bytes;
    try (InputStream in = Files.newInputStream(file)) {
      bytes = in.readNBytes(BYTES_MAX + 1);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
    }
    if (bytes.length > BYTES_MAX) {
      throw new ModelFormatException(
          file.toString(),
          "file",
          BYTES_MAX,
          "is longer than the " + BYTES_MAX + " bytes accepted");
    }
    return parse(file.toString(), bytes);
  }

  static TokenizerFile parse(String file, byte[] bytes) {
    try (JsonParser parser = FACTORY.createParser(bytes)) {
      Pass pass = new Pass(file, parser);
      try {
        pass.root();
      } catch (JsonProcessingException e) {
        long offset = e.getLocation() == null ? 0 : Math.max(0, e.getLocation().getByteOffset());
        throw new ModelFormatException(file, "json", offset, e.getOriginalMessage(), e);
      }
      return new TokenizerFile(
          new String(bytes, UTF_8), pass.idMax + 1, Collections.unmodifiableMap(pass.addedTokens));
    } catch (IOException e) {
      throw new ModelFormatException(file, "json", 0, "not JSON: " + e.getMessage(), e);
    }
  }

  /// One pass over the file, which keeps no more than it needs.
  private static final class Pass {
    private final String file;
    private final JsonParser parser;
    private final Map<String, Integer> addedTokens = new LinkedHashMap<>();
    private int idMax = -1;
    private boolean hasModel;

    Pass(String file, JsonParser parser) {
      this.file = file;
      this.parser = parser;
    }

    void root() throws IOException {
      parser.nextToken();
      expect(JsonToken.START_OBJECT, "json");
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String name = parser.currentName();
        parser.nextToken();
        switch (name) {
          case "added_tokens" -> addedTokens();
          case "model" -> model();
          default -> parser.skipChildren();
        }
      }
      if (parser.nextToken() != null) {
        throw refused("end", "text follows the JSON value");
      }
      if (!hasModel) {
        throw refused("model.vocab", "is missing or empty");
      }
    }

    private void model() throws IOException {
      expect(JsonToken.START_OBJECT, "model");
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String name = parser.currentName();
        JsonToken value = parser.nextToken();
        if (!name.equals("vocab")) {
          parser.skipChildren();
        } else if (value == JsonToken.START_OBJECT) {
          while (parser.nextToken() == JsonToken.FIELD_NAME) {
            parser.nextToken();
            id("model.vocab");
            hasModel = true;
          }
        } else {
          // A unigram model lists its pieces: [["piece", score], ...].
          expect(JsonToken.START_ARRAY, "model.vocab");
          for (int i = 0; parser.nextToken() != JsonToken.END_ARRAY; i++) {
            parser.skipChildren();
            idMax = Math.max(idMax, i);
            hasModel = true;
          }
        }
      }
    }

    private void addedTokens() throws IOException {
      expect(JsonToken.START_ARRAY, "added_tokens");
      while (parser.nextToken() != JsonToken.END_ARRAY) {
        expect(JsonToken.START_OBJECT, "added_tokens");
        String content = null;
        int id = -1;
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
          String name = parser.currentName();
          parser.nextToken();
          if (name.equals("id")) {
            id = id("added_tokens.id");
          } else if (name.equals("content")) {
            expect(JsonToken.VALUE_STRING, "added_tokens.content");
            content = parser.getText();
          } else {
            parser.skipChildren();
          }
        }
        if (content == null || id < 0) {
          throw refused("added_tokens", "an added token lacks its id or content");
        }
        addedTokens.put(content, id);
      }
    }

    private int id(String field) throws IOException {
      expect(JsonToken.VALUE_NUMBER_INT, field);
      long id = parser.getBigIntegerValue().bitLength() < 63 ? parser.getLongValue() : -1;
      if (id < 0 || id > ID_MAX) {
        throw refused(field, "is " + parser.getText() + ", must be from 0 to " + ID_MAX);
      }
      idMax = Math.max(idMax, (int) id);
      return (int) id;
    }

    private void expect(JsonToken token, String field) {
      if (parser.currentToken() != token) {
        throw refused(field, "must be " + token + ", is " + parser.currentToken());
      }
    }

    private ModelFormatException refused(String field, String problem) {
      return new ModelFormatException(
          file, field, Math.max(0, parser.currentTokenLocation().getByteOffset()), problem);
    }
  }
}

package io.rigmesh.node.rest;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import org.jspecify.annotations.Nullable;

/// The description of the interface, as it stands in the jar. Read on the first request for it.
final class OpenApi {
  private static byte @Nullable [] jsonBytes;

  private OpenApi() {}

  /// The document as it is written by hand.
  static byte[] yaml() {
    try (InputStream in = OpenApi.class.getResourceAsStream("openapi.yaml")) {
      if (in == null) {
        throw new IllegalStateException("openapi.yaml is missing from the jar; build again");
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException("openapi.yaml cannot be read", e);
    }
  }

  /// The same document as JSON.
  static synchronized byte[] json() {
    byte[] made = jsonBytes;
    if (made == null) {
      try {
        made = new ObjectMapper().writeValueAsBytes(new YAMLMapper().readTree(yaml()));
      } catch (IOException e) {
        throw new UncheckedIOException("openapi.yaml is not YAML", e);
      }
      jsonBytes = made;
    }
    return made;
  }
}

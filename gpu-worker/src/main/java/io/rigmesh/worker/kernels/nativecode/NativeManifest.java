package io.rigmesh.worker.kernels.nativecode;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What this build carries of machine code, as `scripts/build-native.sh` wrote it.
///
/// @param compiler such as `gcc 12.2.0`
/// @param flags what it was given, contraction off among them
/// @param sourceSha256 of all sources, in the order of their names
/// @param libraries one for each platform
record NativeManifest(String compiler, String flags, String sourceSha256, List<Library> libraries) {
  /// Keeps a copy of the list.
  NativeManifest {
    libraries = List.copyOf(libraries);
  }

  /// One library.
  ///
  /// @param platform such as `linux-x86_64`
  /// @param file its name beside the manifest
  /// @param sha256 of the file
  record Library(String platform, String file, String sha256) {}

  /// The manifest of this build.
  static NativeManifest load() {
    try {
      JsonNode json = new ObjectMapper().readTree(resource("manifest.json"));
      List<Library> libraries = new ArrayList<>();
      for (JsonNode library : json.required("libraries")) {
        libraries.add(
            new Library(
                library.required("platform").asText(),
                library.required("file").asText(),
                library.required("sha256").asText()));
      }
      return new NativeManifest(
          json.required("compiler").asText(),
          json.required("flags").asText(),
          json.required("sourceSha256").asText(),
          libraries);
    } catch (IOException e) {
      throw new UncheckedIOException("the manifest of the native library cannot be read", e);
    }
  }

  /// The library for a platform, if there is one.
  Optional<Library> library(String platform) {
    return libraries.stream().filter(library -> library.platform().equals(platform)).findFirst();
  }

  /// The bytes of a file beside the manifest.
  static byte[] resource(String name) throws IOException {
    try (InputStream stream = NativeManifest.class.getResourceAsStream(name)) {
      if (stream == null) {
        throw new IOException(
            "this build carries no " + name + ": run scripts/build-native.sh and build again");
      }
      return stream.readAllBytes();
    }
  }
}

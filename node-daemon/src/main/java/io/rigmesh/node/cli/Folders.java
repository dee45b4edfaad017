package io.rigmesh.node.cli;

import io.rigmesh.protocol.BlobRoot;
import io.rigmesh.protocol.FolderManifest;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// Folders by content.
final class Folders {
  private Folders() {}

  /// The manifest of every regular file below a folder.
  static FolderManifest manifest(Path folder) {
    if (!Files.isDirectory(folder)) {
      throw CliException.hopeless("there is no folder " + folder);
    }
    try (Stream<Path> walk = Files.walk(folder)) {
      List<FolderManifest.File> files = new ArrayList<>();
      for (Path path : walk.filter(Files::isRegularFile).toList()) {
        String relative = folder.relativize(path).toString().replace('\\', '/');
        try (InputStream in = Files.newInputStream(path)) {
          files.add(new FolderManifest.File(relative, Files.size(path), BlobRoot.of(in)));
        }
        if (files.size() > FolderManifest.FILES_MAX) {
          throw CliException.hopeless(
              folder + " has more than " + FolderManifest.FILES_MAX + " files");
        }
      }
      if (files.isEmpty()) {
        throw CliException.hopeless(folder + " has no files");
      }
      return new FolderManifest(files);
    } catch (IOException e) {
      throw CliException.hopeless("cannot read " + folder + ": " + e.getMessage(), e);
    }
  }
}

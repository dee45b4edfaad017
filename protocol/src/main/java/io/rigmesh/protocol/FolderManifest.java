package io.rigmesh.protocol;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/// The files of a folder by content: what a model, an adapter or an output is named by. Paths are
/// relative, use `/`, and stand sorted, so that a folder has one manifest. The folder's root is the
/// [BlobRoot] of the manifest's bytes.
///
/// @param files the files, sorted by path
public record FolderManifest(List<File> files) {
  /// The most files in a folder.
  public static final int FILES_MAX = 10_000;

  /// The most bytes a manifest has.
  public static final int BYTES_MAX = 4 << 20;

  private static final String TAG = "rigmesh-folder-v1";
  private static final int PATH_BYTES_MAX = 255;

  /// One file.
  ///
  /// @param path relative path with `/`; no empty, `.` or `..` part
  /// @param sizeBytes its length
  /// @param root its [BlobRoot]
  public record File(String path, long sizeBytes, Hash root) {
    /// Refuses paths that could leave the folder.
    public File {
      boolean bad = path.isEmpty() || path.startsWith("/") || path.contains("\\");
      for (String part : path.split("/", -1)) {
        bad |= part.isEmpty() || part.equals(".") || part.equals("..") || part.indexOf('\0') >= 0;
      }
      if (bad || sizeBytes < 0) {
        throw new MalformedException("not a relative path with a size: '" + path + "'");
      }
    }
  }

  /// Sorts, and checks for doubles and for files that would have to be folders too.
  public FolderManifest {
    files = files.stream().sorted(Comparator.comparing(File::path)).toList();
    Set<String> paths = files.stream().map(File::path).collect(Collectors.toSet());
    for (File file : files) {
      String path = file.path;
      for (int at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
        if (paths.contains(path.substring(0, at))) {
          throw new MalformedException(
              "the path " + path.substring(0, at) + " is a file and the folder of " + path);
        }
      }
    }
    for (int i = 1; i < files.size(); i++) {
      if (files.get(i).path.equals(files.get(i - 1).path)) {
        throw new MalformedException("the path " + files.get(i).path + " stands twice");
      }
    }
  }

  /// The folder's root.
  public Hash root() {
    return BlobRoot.of(canonicalBytes());
  }

  /// The sum of all files' sizes.
  public long sizeBytes() {
    return files.stream().mapToLong(File::sizeBytes).sum();
  }

  /// The one byte form that is hashed.
  public byte[] canonicalBytes() {
    CanonicalWriter out = new CanonicalWriter(TAG).u32(files.size());
    files.forEach(f -> out.text(f.path).u64(f.sizeBytes).hash(f.root));
    return out.toBytes();
  }

  /// Reads canonical bytes back.
  ///
  /// @throws MalformedException if they are not the canonical form of a manifest
  public static FolderManifest fromCanonicalBytes(byte[] bytes) {
    CanonicalReader in = new CanonicalReader(bytes, TAG, BYTES_MAX);
    int count = in.count(FILES_MAX, "files");
    List<File> files = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      files.add(new File(in.text(PATH_BYTES_MAX, "path"), in.u64("size"), in.hash("root")));
    }
    in.end();
    FolderManifest manifest = new FolderManifest(files);
    if (!manifest.files.equals(files)) {
      throw new MalformedException("a manifest's files stand sorted by path");
    }
    return manifest;
  }
}

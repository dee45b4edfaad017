package io.rigmesh.node.blob;

import io.rigmesh.protocol.FolderManifest;
import io.rigmesh.protocol.Hash;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/// Bytes by their content. A folder is a blob too: its manifest's canonical bytes, by its root.
/// Safe for use by several threads and by several processes on one folder.
public interface Blobs {
  /// Keeps a stream's bytes. The stream is read to its end and not closed.
  ///
  /// @param expected the root that they must have
  /// @param bytesMax the most bytes to read
  /// @return their root
  /// @throws BlobRefusedException if there are too many bytes or their root is another
  /// @throws BlobException if they cannot be read or written
  Hash put(InputStream in, Optional<Hash> expected, long bytesMax);

  /// True if the bytes of this root are here.
  boolean has(Hash root);

  /// How many bytes the blob of this root has, if it is here.
  OptionalLong sizeBytes(Hash root);

  /// Opens a blob from its start. The caller closes it.
  ///
  /// @throws BlobRefusedException if it is not here
  InputStream open(Hash root);

  /// Keeps a folder's manifest, whether or not its files are here.
  ///
  /// @return the roots of the files that are not, each once
  List<Hash> putFolder(FolderManifest manifest);

  /// The hashes of a blob's chunks as leaves of its tree.
  ///
  /// @throws BlobRefusedException if it is not here
  List<Hash> leaves(Hash root);

  /// One chunk of a blob.
  ///
  /// @throws BlobRefusedException if the blob is not here or has no such chunk
  byte[] chunk(Hash root, int index);

  /// Begins to keep a blob whose chunks come one by one and in any order, or goes on with one that
  /// was begun before, also by an earlier process. One at a time for each root.
  ///
  /// @param leaves the hashes of its chunks, whose root was checked
  /// @throws BlobRefusedException if it is too large
  IncomingBlob receive(Hash root, long sizeBytes, List<Hash> leaves);

  /// The manifest of a folder, whether or not its files are here.
  Optional<FolderManifest> manifest(Hash root);

  /// The manifest of a folder whose files are all here.
  Optional<FolderManifest> folder(Hash root);

  /// Keeps every file below a folder, and its manifest.
  ///
  /// @throws BlobException if a file cannot be read
  FolderManifest importFolder(Path folder);

  /// Lays a folder's files out below `target`, which must not exist, without copying where the file
  /// system allows it. Nobody may write to them.
  ///
  /// @throws BlobRefusedException if it or one of its files is not here
  void materialise(Hash root, Path target);

  /// Lays one blob out as the file `target`, which must not exist. Nobody may write to it.
  ///
  /// @throws BlobRefusedException if it is not here
  void materialiseFile(Hash root, Path target);

  /// All bytes of all blobs on disk, about.
  long usedBytes();
}

package io.rigmesh.libp2p.kad;

import java.util.List;

/// Judges the values of one namespace, the first part of keys such as `/pk/...` (the
/// specification's "Entry validation"). Pure: the same arguments give the same result.
public interface RecordValidator {
  /// Whether the value may stand under the key.
  boolean isValid(byte[] key, byte[] value);

  /// The index of the best of several valid values.
  int best(byte[] key, List<byte[]> values);
}

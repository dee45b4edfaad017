package io.rigmesh.worker.serve;

import io.rigmesh.protocol.Digests;
import io.rigmesh.protocol.Hash;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// The names of full pages: each is the SHA-256 of the name of the page before it and of its own
/// tokens, so that two pages of one name hold the same bits. The first hashes a scope, and only
/// sequences of one scope share pages: how fast an answer comes tells nobody what others asked.
final class PageNames {
  private static final byte[] TAG = "rigmesh-pages-v1".getBytes(StandardCharsets.US_ASCII);

  private final List<Hash> names = new ArrayList<>();
  private Hash last;

  PageNames(Hash scope) {
    this.last = Digests.sha256(TAG, scope.bytes());
  }

  /// The names of the first `pages` pages of a sequence; those computed before are not computed
  /// again.
  List<Hash> of(int[] tokens, int pages) {
    while (names.size() < pages) {
      int from = names.size() * PagePool.PAGE;
      ByteBuffer bytes = ByteBuffer.allocate(PagePool.PAGE * Integer.BYTES);
      for (int i = 0; i < PagePool.PAGE; i++) {
        bytes.putInt(tokens[from + i]);
      }
      last = Digests.sha256(last.bytes(), bytes.array());
      names.add(last);
    }
    return names.subList(0, pages);
  }
}

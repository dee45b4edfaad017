package io.rigmesh.protocol;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/// The chain of commitments of one job: each link hashes the one before it and what one step
/// computed, so that two parties who disagree can find the first step at which they do.
/// docs/protocol.md has the bytes. Integers are big-endian, floats are IEEE-754 little-endian as
/// tensors store them. Not thread-safe.
public final class CommitmentChain {
  private static final byte[] TAG = "rigmesh-commitment-v1".getBytes(StandardCharsets.US_ASCII);

  private final List<Hash> links = new ArrayList<>();
  private final Hash start;
  private Hash last;

  private CommitmentChain(Hash start) {
    this.start = start;
    this.last = start;
  }

  /// Starts a chain: `c_0 = H(tag || job id || model root || profile || 0x00 || token digest)`.
  ///
  /// @param job the job's id
  /// @param model the root of the model that is run, or of the initial model in training
  /// @param profile the arithmetic
  /// @param tokens the digest of the token ids that the tokenizer made of the input, see
  ///   [#tokenDigest]
  public static CommitmentChain start(Hash job, Hash model, Profile profile, Hash tokens) {
    return new CommitmentChain(
        Digests.sha256(
            TAG,
            job.bytes(),
            model.bytes(),
            profile.id().getBytes(StandardCharsets.US_ASCII),
            new byte[] {0},
            tokens.bytes()));
  }

  /// Goes on from links that were kept, in a process that was started again.
  public static CommitmentChain resume(CommitmentChain fresh, List<Hash> links) {
    CommitmentChain chain = new CommitmentChain(fresh.start);
    chain.links.addAll(links);
    chain.last = links.isEmpty() ? fresh.start : links.getLast();
    return chain;
  }

  /// The SHA-256 of token ids as big-endian 32-bit integers; for several sequences, each behind its
  /// length.
  public static Hash tokenDigest(List<int[]> sequences) {
    MessageDigest digest = Digests.newSha256();
    for (int[] sequence : sequences) {
      ByteBuffer bytes = ByteBuffer.allocate(4 + 4 * sequence.length).putInt(sequence.length);
      for (int token : sequence) {
        bytes.putInt(token);
      }
      digest.update(bytes.array());
    }
    return Hash.of(digest.digest());
  }

  /// Adds a generated token: `H(previous || u64 position || u32 token || last hidden state)`.
  public Hash token(long position, int token, float[] hidden) {
    return add(u64(position), u32(token), floats(hidden));
  }

  /// Adds an embedded sentence: `H(previous || u64 index || vector)`.
  public Hash vector(long index, float[] vector) {
    return add(u64(index), floats(vector));
  }

  /// Adds a training step: `H(previous || u64 step || loss || u64 data cursor || state root or
  /// zero)`.
  ///
  /// @param step the step just done, from 1
  /// @param loss its loss
  /// @param cursor training tokens consumed so far
  /// @param state the root of parameters and optimiser state if this step is a checkpoint, else
  ///   zero
  public Hash step(long step, float loss, long cursor, Hash state) {
    return add(u64(step), floats(new float[] {loss}), u64(cursor), state.bytes());
  }

  /// The link before the first.
  public Hash start() {
    return start;
  }

  /// The last link, or the start of an empty chain.
  public Hash last() {
    return last;
  }

  /// All links after the start, in order; a live view.
  public List<Hash> links() {
    return Collections.unmodifiableList(links);
  }

  /// The Merkle root over the links, each link being a leaf's bytes.
  public Hash root() {
    return rootOf(links);
  }

  /// The Merkle root over links, each link being a leaf's bytes.
  public static Hash rootOf(List<Hash> links) {
    return MerkleTree.root(links.stream().map(l -> MerkleTree.leaf(l.bytes())).toList());
  }

  private Hash add(byte[]... parts) {
    MessageDigest digest = Digests.newSha256();
    digest.update(last.bytes());
    for (byte[] part : parts) {
      digest.update(part);
    }
    last = Hash.of(digest.digest());
    links.add(last);
    return last;
  }

  private static byte[] u64(long value) {
    return ByteBuffer.allocate(8).putLong(value).array();
  }

  private static byte[] u32(int value) {
    return ByteBuffer.allocate(4).putInt(value).array();
  }

  private static byte[] floats(float[] values) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return bytes.array();
  }
}

package io.rigmesh.node.network.blob;

import com.google.protobuf.ByteString;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.node.network.PeerStream;
import io.rigmesh.protocol.BlobRoot;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.MerkleTree;
import io.rigmesh.protocol.wire.BlobWire;
import java.util.ArrayList;
import java.util.List;

/// One stream to a peer that hands out blobs; for one thread.
final class BlobSession implements AutoCloseable {
  private final PeerStream stream;
  private final BlobSource source;

  BlobSession(PeerStream stream, BlobSource source) {
    this.stream = stream;
    this.source = source;
  }

  /// A blob before it is here.
  ///
  /// @param leaves the hashes of its chunks, whose root was checked
  record Description(long sizeBytes, List<Hash> leaves) {
    /// Copies the list.
    Description {
      leaves = List.copyOf(leaves);
    }
  }

  /// Takes chunks as they come.
  @FunctionalInterface
  interface ChunkSink {
    void take(int index, byte[] bytes);
  }

  /// Asks how large a blob is and what its chunks' hashes are.
  ///
  /// @throws BlobNotHereException if the peer has it not, or not for us
  /// @throws PeerMisbehaviourException if the hashes do not have the root
  Description describe(Hash root, long bytesMax) {
    stream
        .io()
        .writeMessage(request(root).setDescribe(BlobWire.Describe.getDefaultInstance()).build());
    BlobWire.Response response = response();
    if (!response.hasDescription()) {
      throw unexpected(response, root);
    }
    BlobWire.Description description = response.getDescription();
    long size = description.getSizeBytes();
    ByteString bytes = description.getLeaves();
    if (size < 0 || size > bytesMax) {
      throw new BlobNotHereException(
          false,
          "the blob " + root + " has " + size + " bytes, and at most " + bytesMax + " are taken");
    }
    long count = (size + BlobRoot.CHUNK_BYTES - 1) / BlobRoot.CHUNK_BYTES;
    if (bytes.size() != count * Hash.BYTES) {
      throw new PeerMisbehaviourException(
          BlobProtocol.ID + ": " + bytes.size() + " bytes of hashes for " + count + " chunks");
    }
    List<Hash> leaves = new ArrayList<>();
    for (int at = 0; at < bytes.size(); at += Hash.BYTES) {
      leaves.add(Hash.of(bytes.substring(at, at + Hash.BYTES).toByteArray()));
    }
    if (!MerkleTree.root(leaves).equals(root)) {
      throw new PeerMisbehaviourException(
          BlobProtocol.ID + ": the hashes of the blob " + root + " have another root");
    }
    return new Description(size, leaves);
  }

  /// Asks for chunks and hands each on.
  void chunks(Hash root, int first, int count, ChunkSink sink) {
    stream
        .io()
        .writeMessage(
            request(root)
                .setChunks(BlobWire.Chunks.newBuilder().setFirst(first).setCount(count))
                .build());
    for (int i = 0; i < count; i++) {
      BlobWire.Response response = response();
      if (!response.hasChunk()) {
        throw unexpected(response, root);
      }
      int length = response.getChunk().getLength();
      if (response.getChunk().getIndex() != first + i
          || length < 1
          || length > BlobRoot.CHUNK_BYTES) {
        throw new PeerMisbehaviourException(
            BlobProtocol.ID
                + ": chunk "
                + response.getChunk().getIndex()
                + " of "
                + length
                + " bytes came where chunk "
                + (first + i)
                + " was due");
      }
      sink.take(first + i, stream.io().readFully(length));
    }
  }

  private BlobWire.Request.Builder request(Hash root) {
    BlobWire.Request.Builder request =
        BlobWire.Request.newBuilder().setRoot(ByteString.copyFrom(root.bytes()));
    source.job().ifPresent(job -> request.setJobId(ByteString.copyFrom(job.bytes())));
    source.pass().ifPresent(pass -> request.setPass(ByteString.copyFrom(pass.bytes())));
    return request;
  }

  private BlobWire.Response response() {
    return BlobProtocol.response(stream.io().requireMessage(BlobProtocol.RESPONSE_BYTES_MAX));
  }

  private RuntimeException unexpected(BlobWire.Response response, Hash root) {
    return response.hasRefused()
        ? new BlobNotHereException(
            BlobProtocol.isPassing(response.getRefused()),
            "the peer "
                + source.peer()
                + " does not hand out the blob "
                + root
                + ": "
                + response.getRefused().getSentence())
        : new PeerMisbehaviourException(
            BlobProtocol.ID + ": " + response.getWhatCase() + " came as an answer");
  }

  @Override
  public void close() {
    stream.close();
  }
}

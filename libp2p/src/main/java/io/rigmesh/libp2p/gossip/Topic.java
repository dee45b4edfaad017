package io.rigmesh.libp2p.gossip;

import io.rigmesh.libp2p.identity.PeerId;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/// A stream of signed messages by name. Thread-safe.
public interface Topic {
  String name();

  /// Signs a message as this host and sends it to the topic's peers.
  ///
  /// @return completes with the number of peers it was sent to, which may be zero
  /// @throws IllegalArgumentException when it is over the size limit
  CompletableFuture<Integer> publish(byte[] data);

  /// Joins the topic; each message that the validator accepts is delivered once, on a virtual
  /// thread, in order of arrival. Closing the subscription leaves the topic when it was the last.
  AutoCloseable subscribe(Subscriber subscriber);

  /// Judges each message before it is delivered or forwarded. There is one validator; without one
  /// all correctly signed messages are accepted.
  void validator(Validator validator);

  /// Peers known to be subscribed.
  List<PeerId> peers();

  /// Peers that messages are forwarded to.
  List<PeerId> mesh();

  /// Receives messages.
  @FunctionalInterface
  interface Subscriber {
    void receive(GossipMessage message);
  }

  /// Judges messages; runs on a virtual thread, several at a time.
  @FunctionalInterface
  interface Validator {
    Verdict judge(GossipMessage message);
  }

  /// What becomes of a message: accepted ones are delivered and forwarded; rejected ones count
  /// against whoever sent them; ignored ones are dropped without blame.
  enum Verdict {
    ACCEPT,
    REJECT,
    IGNORE
  }
}

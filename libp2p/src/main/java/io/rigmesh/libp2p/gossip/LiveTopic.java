package io.rigmesh.libp2p.gossip;

import com.google.protobuf.ByteString;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.identity.PeerId;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A topic of a running node: its validator and its subscribers. Thread-safe.
final class LiveTopic implements Topic {
  private static final Logger LOG = LoggerFactory.getLogger(LiveTopic.class);

  /// Messages that wait for one subscriber hold at most so many bytes.
  private static final long WAITING_BYTES_MAX = 16L * 1024 * 1024;

  private final String name;
  private final Gossipsub gossip;
  private final int waitingMax;
  private final List<Subscription> subscriptions = new CopyOnWriteArrayList<>();
  private volatile @Nullable Validator validator;

  /// The last publication that waits for the validator: the next comes after it.
  private CompletableFuture<Integer> published = CompletableFuture.completedFuture(0);

  LiveTopic(String name, Gossipsub gossip, int waitingMax) {
    this.name = name;
    this.gossip = gossip;
    this.waitingMax = waitingMax;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public CompletableFuture<Integer> publish(byte[] data) {
    Message message = gossip.sign(name, ByteString.copyFrom(data));
    if (validator == null) {
      return gossip.send(message);
    }
    synchronized (this) {
      published =
          published.handleAsync(
              (peers, earlier) -> {
                Verdict verdict = judge(message, gossip.self());
                if (verdict != Verdict.ACCEPT) {
                  throw new Libp2pException(
                      "The validator of topic '"
                          + name
                          + "' does not accept this host's own message (it says "
                          + verdict
                          + "); other peers would refuse it too");
                }
                return gossip.send(message).join();
              },
              task -> Thread.ofVirtual().name("gossip-publish").start(task));
      return published;
    }
  }

  /// The validator's judgement; a validator that fails says nothing about the message.
  Verdict judge(Message message, PeerId from) {
    Validator judge = validator;
    if (judge == null) {
      return Verdict.ACCEPT;
    }
    try {
      return judge.judge(message.received(from));
    } catch (RuntimeException | StackOverflowError e) {
      // A message that is nested deep enough overflows many a parser's stack.
      LOG.warn("The validator of topic '{}' failed; the message is ignored", name, e);
      return Verdict.IGNORE;
    }
  }

  void deliver(Message message, PeerId from) {
    MessageQueue.Item item = new MessageQueue.Item(message, from);
    for (Subscription subscription : subscriptions) {
      subscription.offer(item);
    }
  }

  @Override
  public AutoCloseable subscribe(Subscriber subscriber) {
    Subscription subscription = new Subscription(subscriber);
    synchronized (this) {
      if (subscriptions.isEmpty()) {
        gossip.join(name);
      }
      subscriptions.add(subscription);
    }
    Thread.ofVirtual().name("gossip-subscriber").start(subscription);
    return subscription;
  }

  private synchronized void unsubscribe(Subscription subscription) {
    if (subscriptions.remove(subscription) && subscriptions.isEmpty()) {
      gossip.leave(name);
    }
  }

  /// Ends all subscriptions; the node leaves the topic by itself.
  synchronized void end() {
    subscriptions.forEach(subscription -> subscription.waiting.end());
    subscriptions.clear();
  }

  @Override
  public void validator(Validator judge) {
    this.validator = judge;
  }

  @Override
  public List<PeerId> peers() {
    return gossip.peers(name);
  }

  @Override
  public List<PeerId> mesh() {
    return gossip.mesh(name);
  }

  /// One subscriber with its thread and what waits for it.
  private final class Subscription implements AutoCloseable, Runnable {
    private final Subscriber subscriber;
    private final MessageQueue waiting = new MessageQueue(waitingMax, WAITING_BYTES_MAX);
    private final AtomicBoolean closed = new AtomicBoolean();
    private final AtomicLong dropped = new AtomicLong();

    Subscription(Subscriber subscriber) {
      this.subscriber = subscriber;
    }

    void offer(MessageQueue.Item item) {
      if (!waiting.offer(item) && !closed.get() && dropped.getAndIncrement() % 1000 == 0) {
        LOG.warn(
            "A subscriber of topic '{}' is too slow: {} messages dropped so far",
            name,
            dropped.get());
      }
    }

    @Override
    public void run() {
      try {
        while (true) {
          Optional<MessageQueue.Item> item = waiting.take();
          if (item.isEmpty() || closed.get()) {
            return;
          }
          try {
            subscriber.receive(item.get().message().received(item.get().from()));
          } catch (RuntimeException | StackOverflowError e) {
            LOG.warn("A subscriber of topic '{}' failed", name, e);
          }
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    @Override
    public void close() {
      if (closed.compareAndSet(false, true)) {
        waiting.end();
        unsubscribe(this);
      }
    }
  }
}

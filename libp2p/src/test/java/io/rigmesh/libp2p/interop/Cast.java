package io.rigmesh.libp2p.interop;

import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.HostBuilder;
import io.rigmesh.libp2p.PeerAddress;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// Everyone who plays in one test, sent home at its end, last come first.
final class Cast implements AutoCloseable {
  private final Deque<AutoCloseable> all = new ArrayDeque<>();

  JsPeer js(JsPeer.Options options) {
    return keep(options.start());
  }

  Host ours(HostBuilder builder) {
    return keep(builder.start());
  }

  <T extends AutoCloseable> T keep(T one) {
    all.push(one);
    return one;
  }

  static PeerAddress address(Host host) {
    return new PeerAddress(host.id(), host.listenAddresses());
  }

  /// The first address with the peer id, as js-libp2p dials it.
  static String fullAddress(Host host) {
    return host.listenAddresses().getFirst().withPeerId(host.id()).toString();
  }

  /// What the future gives within a minute; its failure is thrown as it is.
  static <T> T soon(CompletableFuture<T> future) {
    try {
      return future.get(60, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw new AssertionError(e.getCause());
    } catch (TimeoutException | InterruptedException e) {
      throw new AssertionError("nothing came of it in time", e);
    }
  }

  @Override
  public void close() {
    AssertionError failure = null;
    for (AutoCloseable one = all.poll(); one != null; one = all.poll()) {
      try {
        one.close();
      } catch (Exception e) {
        failure = new AssertionError(one + " did not end well", e);
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}

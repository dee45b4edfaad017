package io.rigmesh.libp2p.interop;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/// A long path on loopback: a TCP proxy that hands every byte on only after half a round trip, with
/// no more bytes under way in a direction than a kernel's largest window. (Linux's netem does the
/// same where it is permitted.)
///
/// The client's own handshake with the proxy costs nothing, so that its first bytes wait a whole
/// round trip longer: that is what a SYN and its answer would have taken.
final class DelayingProxy implements AutoCloseable {
  /// Linux's default limit of a receive window (the last number of net.ipv4.tcp_rmem).
  private static final int BYTES_UNDER_WAY_MAX = 6 * 1024 * 1024;

  private static final int CHUNK_BYTES_MAX = 64 * 1024;

  private final ServerSocket server;
  private final InetSocketAddress to;
  private final long roundTripNanos;
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();

  DelayingProxy(InetSocketAddress to, Duration roundTrip) throws IOException {
    this.to = to;
    roundTripNanos = roundTrip.toNanos();
    server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    Thread.ofPlatform().daemon().name("delaying-proxy").start(this::accept);
  }

  InetSocketAddress address() {
    return (InetSocketAddress) server.getLocalSocketAddress();
  }

  @Override
  public void close() throws IOException {
    server.close();
    for (Socket socket : sockets) {
      socket.close();
    }
  }

  private void accept() {
    try {
      while (true) {
        Socket client = server.accept();
        long handshakeEnd = System.nanoTime() + roundTripNanos;
        Socket host = new Socket();
        host.connect(to);
        client.setTcpNoDelay(true);
        host.setTcpNoDelay(true);
        sockets.add(client);
        sockets.add(host);
        Path there = new Path(client, host, handshakeEnd);
        Path back = new Path(host, client, 0);
        Thread.ofPlatform().daemon().start(there::take);
        Thread.ofPlatform().daemon().start(there::give);
        Thread.ofPlatform().daemon().start(back::take);
        Thread.ofPlatform().daemon().start(back::give);
      }
    } catch (IOException e) {
      // Closed.
    }
  }

  /// Bytes on their way; an empty array is the end.
  private record UnderWay(long due, byte[] bytes) {}

  /// One direction of a connection.
  private final class Path {
    private final Socket from;
    private final Socket to;
    private final long earliestSend;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final ArrayDeque<UnderWay> underWay = new ArrayDeque<>();
    private int bytesUnderWay;

    /// @param earliestSend when the sender could have sent its first byte
    Path(Socket from, Socket to, long earliestSend) {
      this.from = from;
      this.to = to;
      this.earliestSend = earliestSend;
    }

    void take() {
      byte[] buffer = new byte[CHUNK_BYTES_MAX];
      try {
        InputStream in = from.getInputStream();
        while (true) {
          int count = in.read(buffer);
          byte[] bytes = new byte[Math.max(0, count)];
          System.arraycopy(buffer, 0, bytes, 0, bytes.length);
          long now = System.nanoTime();
          long sentAt = earliestSend != 0 && earliestSend - now > 0 ? earliestSend : now;
          lock.lock();
          try {
            while (bytesUnderWay >= BYTES_UNDER_WAY_MAX) {
              changed.await();
            }
            underWay.addLast(new UnderWay(sentAt + roundTripNanos / 2, bytes));
            bytesUnderWay += bytes.length;
            changed.signalAll();
          } finally {
            lock.unlock();
          }
          if (count < 0) {
            return;
          }
        }
      } catch (IOException | InterruptedException e) {
        end();
      }
    }

    void give() {
      try {
        OutputStream out = to.getOutputStream();
        while (true) {
          UnderWay next;
          lock.lock();
          try {
            while (underWay.isEmpty()) {
              changed.await();
            }
            next = underWay.getFirst();
          } finally {
            lock.unlock();
          }
          for (long left = next.due - System.nanoTime();
              left > 0;
              left = next.due - System.nanoTime()) {
            LockSupport.parkNanos(left);
          }
          if (next.bytes.length == 0) {
            to.shutdownOutput();
            return;
          }
          out.write(next.bytes);
          lock.lock();
          try {
            underWay.removeFirst();
            bytesUnderWay -= next.bytes.length;
            changed.signalAll();
          } finally {
            lock.unlock();
          }
        }
      } catch (IOException | InterruptedException e) {
        end();
      }
    }

    private void end() {
      try {
        from.close();
        to.close();
      } catch (IOException e) {
        // Closed already.
      }
    }
  }
}

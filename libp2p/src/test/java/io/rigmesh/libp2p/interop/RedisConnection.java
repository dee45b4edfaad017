package io.rigmesh.libp2p.interop;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/// A connection to a Redis server that knows the two commands by which an interop test's sides
/// meet.
final class RedisConnection implements AutoCloseable {
  private static final int CONNECT_MILLIS_MAX = 10_000;

  private final Socket socket = new Socket();
  private final InputStream in;
  private final OutputStream out;

  /// @param address `host:port`
  RedisConnection(String address) throws IOException {
    int colon = address.lastIndexOf(':');
    socket.connect(
        new InetSocketAddress(
            address.substring(0, colon), Integer.parseInt(address.substring(colon + 1))),
        CONNECT_MILLIS_MAX);
    in = new BufferedInputStream(socket.getInputStream());
    out = socket.getOutputStream();
  }

  /// Appends a value to a list.
  void push(String list, String value) throws IOException {
    send("RPUSH", list, value);
    String reply = readLine();
    if (!reply.startsWith(":")) {
      throw new IOException("Redis refused RPUSH: " + reply);
    }
  }

  /// Takes the first value of a list, waiting for one; empty when none came in time.
  Optional<String> pop(String list, int seconds) throws IOException {
    send("BLPOP", list, Integer.toString(seconds));
    String reply = readLine();
    if (reply.equals("*-1")) {
      return Optional.empty();
    }
    if (!reply.equals("*2")) {
      throw new IOException("Redis refused BLPOP: " + reply);
    }
    readBulk();
    return Optional.of(readBulk());
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }

  private void send(String... words) throws IOException {
    StringBuilder command = new StringBuilder("*" + words.length + "\r\n");
    for (String word : words) {
      command
          .append('$')
          .append(word.getBytes(StandardCharsets.UTF_8).length)
          .append("\r\n")
          .append(word)
          .append("\r\n");
    }
    out.write(command.toString().getBytes(StandardCharsets.UTF_8));
  }

  private String readBulk() throws IOException {
    String head = readLine();
    if (!head.startsWith("$")) {
      throw new IOException("Redis sent " + head + " where a string was due");
    }
    byte[] bytes = in.readNBytes(Integer.parseInt(head.substring(1)));
    readLine();
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private String readLine() throws IOException {
    StringBuilder line = new StringBuilder();
    for (int c = in.read(); c != '\n'; c = in.read()) {
      if (c < 0) {
        throw new IOException("Redis closed the connection");
      }
      if (c != '\r') {
        line.append((char) c);
      }
    }
    return line.toString();
  }
}

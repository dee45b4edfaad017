package io.rigmesh.libp2p.interop;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.netty.util.internal.PlatformDependent;
import io.rigmesh.libp2p.Connection;
import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.HostBuilder;
import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.ProtocolId;
import io.rigmesh.libp2p.Stream;
import io.rigmesh.libp2p.StreamHandler;
import io.rigmesh.libp2p.identity.Ed25519PrivateKey;
import io.rigmesh.libp2p.resource.AddressLimits;
import io.rigmesh.libp2p.resource.ResourceLimits;
import io.rigmesh.libp2p.resource.ScopeLimits;
import io.rigmesh.libp2p.swarm.ConnectionLimits;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/// Our side of the benchmarks as a process: understands those of peer.mjs's commands that measure,
/// and does the same work on event loops as js-libp2p does on its one.
public final class BenchPeer {
  private static final int CHUNK_BYTES = 64 * 1024;
  private static final long PATIENCE_SECONDS = 300;

  private final List<Host> hosts = new ArrayList<>();

  private BenchPeer() {}

  static PeerProcess start(String heap, int hosts, String... listen) throws IOException {
    List<String> command = new ArrayList<>();
    command.addAll(
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx" + heap,
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow"));
    String more = System.getProperty("rigmesh.bench.jvm", "");
    if (!more.isEmpty()) {
      command.addAll(List.of(more.split(" ")));
    }
    command.addAll(
        List.of(
            "-cp",
            System.getProperty("java.class.path"),
            BenchPeer.class.getName(),
            Integer.toString(hosts)));
    command.addAll(List.of(listen));
    return new PeerProcess(new ProcessBuilder(command));
  }

  /// Listens with so many hosts on the addresses, and runs commands until stdin ends.
  public static void main(String[] arguments) throws Exception {
    BenchPeer peer = new BenchPeer();
    int count = Integer.parseInt(arguments[0]);
    for (int i = 0; i < count; i++) {
      HostBuilder builder =
          new HostBuilder(Ed25519PrivateKey.generate(new SecureRandom()))
              .limits(wide())
              .connections(new ConnectionLimits(100_000, 100_000, Duration.ofSeconds(20)));
      if (count > 1) {
        builder.eventLoopThreads(1);
      }
      for (int j = 1; j < arguments.length; j++) {
        builder.listen(arguments[j]);
      }
      Host host = builder.start();
      host.handle(new ProtocolId("/bench/sink"), new Sink());
      host.handle(new ProtocolId("/bench/echo"), new Echo());
      peer.hosts.add(host);
    }
    ObjectNode ready = peer.info();
    ready.put("event", "ready");
    System.out.println(ready);
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      JsonNode command = PeerProcess.MAPPER.readTree(line);
      ObjectNode answer =
          PeerProcess.MAPPER.createObjectNode().put("id", command.get("id").asInt());
      try {
        answer.set("ok", peer.run(command));
      } catch (Exception e) {
        e.printStackTrace();
        answer.put("error", e.toString());
      }
      System.out.println(answer);
    }
    peer.hosts.forEach(Host::close);
    System.exit(0);
  }

  /// js-libp2p has no resource manager: neither side shall be limited in what is measured.
  private static ResourceLimits wide() {
    ScopeLimits many =
        new ScopeLimits(
            100_000, 100_000, 100_000, 100_000, 100_000, 100_000, 8L * 1024 * 1024 * 1024);
    return ResourceLimits.defaults()
        .withSystem(many)
        .withTransients(many)
        .withPeer(many)
        .withConnection(many)
        .withAddress(AddressLimits.defaults());
  }

  private ObjectNode info() {
    Host host = hosts.getFirst();
    ObjectNode info = PeerProcess.MAPPER.createObjectNode().put("peer", host.id().toString());
    ArrayNode addresses = info.putArray("addresses");
    for (Host each : hosts) {
      each.listenAddresses().forEach(one -> addresses.add(one + "/p2p/" + each.id()));
    }
    Runtime runtime = Runtime.getRuntime();
    info.put("heapBytes", runtime.totalMemory() - runtime.freeMemory());
    return info;
  }

  private JsonNode run(JsonNode command) throws Exception {
    return switch (command.get("do").asText()) {
      case "info" -> info();
      case "benchStream" -> stream(command);
      case "benchRoundTrips" -> roundTrips(command);
      case "benchRequests" -> requests(command);
      case "benchConnects" -> connects(command);
      case "dialAll" -> dialAll(command);
      case "memory" -> memory();
      default -> throw new IllegalArgumentException("unknown command " + command);
    };
  }

  private Connection connect(JsonNode command) throws Exception {
    return hosts
        .getFirst()
        .connect(PeerAddress.of(command.get("address").asText()))
        .get(PATIENCE_SECONDS, TimeUnit.SECONDS);
  }

  private static List<ProtocolId> protocol(JsonNode command) {
    return List.of(new ProtocolId(command.get("protocol").asText()));
  }

  private static Stream open(Connection connection, List<ProtocolId> protocol) throws Exception {
    return connection.open(protocol).get(PATIENCE_SECONDS, TimeUnit.SECONDS);
  }

  private ObjectNode stream(JsonNode command) throws Exception {
    long bytes = command.get("bytes").asLong();
    Stream stream = open(connect(command), protocol(command));
    Sender sender = new Sender(bytes);
    long start = System.nanoTime();
    stream.channel().pipeline().addLast(sender);
    stream.channel().config().setAutoRead(true);
    long counted = sender.counted.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    return answer(System.nanoTime() - start).put("bytes", counted);
  }

  private ObjectNode roundTrips(JsonNode command) throws Exception {
    Stream stream = open(connect(command), protocol(command));
    Caller caller = new Caller(command.get("count").asInt(), command.get("bytes").asInt());
    long start = System.nanoTime();
    stream.channel().pipeline().addLast(caller);
    stream.channel().config().setAutoRead(true);
    caller.done.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    long nanos = System.nanoTime() - start;
    stream.close();
    return answer(nanos);
  }

  private ObjectNode requests(JsonNode command) throws Exception {
    Connection connection = connect(command);
    List<ProtocolId> protocol = protocol(command);
    int bytes = command.get("bytes").asInt();
    CompletableFuture<Void> done = new CompletableFuture<>();
    long start = System.nanoTime();
    request(connection, protocol, bytes, command.get("count").asInt(), done);
    done.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    return answer(System.nanoTime() - start);
  }

  private static void request(
      Connection connection,
      List<ProtocolId> protocol,
      int bytes,
      int left,
      CompletableFuture<Void> done) {
    connection
        .open(protocol)
        .whenComplete((stream, failure) -> {
          if (failure != null) {
            done.completeExceptionally(failure);
            return;
          }
          Caller caller = new Caller(1, bytes);
          caller.done.whenComplete((nothing, broken) -> {
            if (broken != null) {
              done.completeExceptionally(broken);
            } else if (left == 1) {
              done.complete(null);
            } else {
              request(connection, protocol, bytes, left - 1, done);
            }
          });
          stream.channel().pipeline().addLast(caller);
          stream.channel().config().setAutoRead(true);
          stream.closeWrite();
        });
  }

  private ObjectNode connects(JsonNode command) throws Exception {
    ObjectNode answer = PeerProcess.MAPPER.createObjectNode();
    ArrayNode nanos = answer.putArray("nanos");
    for (int i = 0; i < command.get("count").asInt(); i++) {
      long start = System.nanoTime();
      Connection connection = connect(command);
      if (command.has("protocol")) {
        Stream stream = open(connection, protocol(command));
        Caller caller = new Caller(1, 1);
        stream.channel().pipeline().addLast(caller);
        stream.channel().config().setAutoRead(true);
        caller.done.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
      }
      nanos.add(System.nanoTime() - start);
      connection.close("measured").get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    }
    return answer;
  }

  private ObjectNode dialAll(JsonNode command) throws Exception {
    for (Host host : hosts) {
      List<CompletableFuture<Connection>> dials = new ArrayList<>();
      for (JsonNode address : command.get("addresses")) {
        dials.add(host.connect(PeerAddress.of(address.asText())));
      }
      for (CompletableFuture<Connection> dial : dials) {
        dial.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
      }
    }
    return memory();
  }

  private ObjectNode memory() throws Exception {
    int connections = 0;
    for (Host host : hosts) {
      connections += host.connections().size();
    }
    // What the dial needed is collected; what the connection needs stays.
    for (int i = 0; i < 4; i++) {
      System.gc();
      TimeUnit.MILLISECONDS.sleep(300);
    }
    long direct =
        ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
            .filter(pool -> pool.getName().equals("direct"))
            .mapToLong(BufferPoolMXBean::getMemoryUsed)
            .sum();
    return PeerProcess.MAPPER
        .createObjectNode()
        .put("connections", connections)
        .put("heapBytes", ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed())
        .put("directBytes", Math.max(direct, PlatformDependent.usedDirectMemory()));
  }

  private static ObjectNode answer(long nanos) {
    return PeerProcess.MAPPER.createObjectNode().put("nanos", nanos);
  }

  /// Counts what comes and answers with the count at the remote's end.
  private static final class Sink implements StreamHandler {
    @Override
    public void accept(Stream stream) {
      stream
          .channel()
          .pipeline()
          .addLast(
              new ChannelInboundHandlerAdapter() {
                private long bytes;

                @Override
                public void channelRead(ChannelHandlerContext context, Object message) {
                  ByteBuf buffer = (ByteBuf) message;
                  bytes += buffer.readableBytes();
                  buffer.release();
                }

                @Override
                public void userEventTriggered(ChannelHandlerContext context, Object event) {
                  if (event instanceof ChannelInputShutdownEvent) {
                    context.writeAndFlush(context.alloc().buffer(8).writeLong(bytes));
                    stream.closeWrite();
                  }
                }

                @Override
                public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
                  context.close();
                }
              });
      stream.channel().config().setAutoRead(true);
    }
  }

  /// Sends back what comes, no faster than it is taken.
  private static final class Echo implements StreamHandler {
    @Override
    public void accept(Stream stream) {
      DuplexChannel channel = stream.channel();
      channel
          .pipeline()
          .addLast(
              new ChannelInboundHandlerAdapter() {
                @Override
                public void channelRead(ChannelHandlerContext context, Object message) {
                  context.write(message);
                }

                @Override
                public void channelReadComplete(ChannelHandlerContext context) {
                  context.flush();
                }

                @Override
                public void channelWritabilityChanged(ChannelHandlerContext context) {
                  channel.config().setAutoRead(channel.isWritable());
                }

                @Override
                public void userEventTriggered(ChannelHandlerContext context, Object event) {
                  if (event instanceof ChannelInputShutdownEvent) {
                    stream.closeWrite();
                  }
                }

                @Override
                public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
                  context.close();
                }
              });
      channel.config().setAutoRead(true);
    }
  }

  /// Writes while the channel is writable, then ends its half and waits for the count.
  private static final class Sender extends ChannelInboundHandlerAdapter {
    final CompletableFuture<Long> counted = new CompletableFuture<>();
    private final ByteBuf chunk =
        Unpooled.unreleasableBuffer(Unpooled.directBuffer(CHUNK_BYTES).writeZero(CHUNK_BYTES));
    private final ByteBuf answer = Unpooled.buffer(8);
    private long left;
    private boolean ended;

    Sender(long bytes) {
      left = bytes;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
      send(context);
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
      send(context);
    }

    private void send(ChannelHandlerContext context) {
      while (left > 0 && context.channel().isWritable()) {
        int bytes = (int) Math.min(left, CHUNK_BYTES);
        left -= bytes;
        context.writeAndFlush(chunk.slice(0, bytes));
      }
      if (left == 0 && !ended) {
        ended = true;
        ((DuplexChannel) context.channel()).shutdownOutput();
      }
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      ByteBuf buffer = (ByteBuf) message;
      answer.writeBytes(buffer);
      buffer.release();
      if (answer.readableBytes() == 8) {
        counted.complete(answer.readLong());
      }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      counted.completeExceptionally(cause);
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
      counted.completeExceptionally(new IllegalStateException("the stream is closed"));
    }
  }

  /// Sends a message and, when as many bytes are back, the next.
  private static final class Caller extends ChannelInboundHandlerAdapter {
    final CompletableFuture<Void> done = new CompletableFuture<>();
    private final ByteBuf message;
    private int left;
    private int got;

    Caller(int count, int bytes) {
      left = count;
      message = Unpooled.unreleasableBuffer(Unpooled.directBuffer(bytes).writeZero(bytes));
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
      context.writeAndFlush(message.slice());
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object received) {
      ByteBuf buffer = (ByteBuf) received;
      got += buffer.readableBytes();
      buffer.release();
      if (got < message.readableBytes()) {
        return;
      }
      got = 0;
      if (--left == 0) {
        done.complete(null);
      } else {
        context.writeAndFlush(message.slice());
      }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      done.completeExceptionally(cause);
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
      done.completeExceptionally(new IllegalStateException("the stream is closed"));
    }
  }
}

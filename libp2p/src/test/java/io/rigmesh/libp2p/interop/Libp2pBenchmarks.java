package io.rigmesh.libp2p.interop;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rigmesh.libp2p.multiformats.AddressProtocol;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Measures our libp2p beside js-libp2p on loopback: two processes of ours against two of theirs,
/// in turns within one run. `NAME... [--json FILE]`, where `libp2p` stands for all.
public final class Libp2pBenchmarks {
  private static final Duration PATIENCE = Duration.ofMinutes(5);
  private static final int ROUNDS = Integer.getInteger("rigmesh.bench.rounds", 5);

  /// A JVM compiles what runs often while it runs, which takes the first few seconds of a stream;
  /// both sides warm up with so many streams.
  private static final int WARM_UP_ROUNDS = 4;

  private static final long STREAM_BYTES = Long.getLong("rigmesh.bench.bytes", 1L << 30);
  private static final Duration ROUND_TRIP = Duration.ofMillis(60);
  private static final String HEAP = "256m";
  private static final String TCP = "/ip4/127.0.0.1/tcp/0";
  private static final String QUIC = "/ip4/127.0.0.1/udp/0/quic-v1";
  private static final List<String> WIRES = List.of(TCP, QUIC);

  /// One thing that is measured.
  @FunctionalInterface
  private interface Benchmark {
    void run() throws Exception;
  }

  private final Map<String, Benchmark> benchmarks = new LinkedHashMap<>();
  private final List<String> json = new ArrayList<>();

  private Libp2pBenchmarks() {
    benchmarks.put("libp2p-stream", this::stream);
    benchmarks.put("libp2p-roundtrip", this::roundTrips);
    benchmarks.put("libp2p-connect", this::connects);
    benchmarks.put("libp2p-delay", this::delay);
    benchmarks.put("libp2p-idle", this::idle);
  }

  /// The entry point of scripts/bench.sh.
  public static void main(String[] arguments) throws Exception {
    Libp2pBenchmarks all = new Libp2pBenchmarks();
    Set<String> chosen = new LinkedHashSet<>();
    Path file = null;
    for (int i = 0; i < arguments.length; i++) {
      if (arguments[i].equals("--json") && i + 1 < arguments.length) {
        file = Path.of(arguments[++i]);
      } else if (arguments[i].equals("libp2p")) {
        chosen.addAll(all.benchmarks.keySet());
      } else if (all.benchmarks.containsKey(arguments[i])) {
        chosen.add(arguments[i]);
      } else {
        System.err.printf(
            "bench.sh: there is no benchmark %s here; there are %s, and libp2p for all.%n",
            arguments[i], String.join(", ", all.benchmarks.keySet()));
        System.exit(2);
      }
    }
    System.out.printf(
        "%-17s %-30s %10s %-17s %-13s %-10s %10s %-17s %6s%n",
        "bench", "metric", "ours", "(spread)", "unit", "peer", "peer's", "(spread)", "ratio");
    for (String name : chosen) {
      all.benchmarks.get(name).run();
    }
    if (file != null) {
      Files.write(file, all.json);
    }
  }

  /// Two peers of one kind: one listens, one dials.
  private record Pair(PeerProcess listener, PeerProcess dialer) implements AutoCloseable {
    static Pair ours(String listen) throws IOException {
      return new Pair(BenchPeer.start(HEAP, 1, listen), BenchPeer.start(HEAP, 1));
    }

    static Pair js(String listen) {
      Pair pair = new Pair(jsOptions(listen).start(), jsOptions(listen).start());
      pair.listener.call("handle", "protocol", "/bench/sink", "how", "sink");
      pair.listener.call("handle", "protocol", "/bench/echo", "how", "echo");
      return pair;
    }

    private static JsPeer.Options jsOptions(String listen) {
      return listen.equals(QUIC) ? JsPeer.options().quic() : JsPeer.options().tcp("noise");
    }

    JsonNode measure(String command, Object... more) {
      return measureAt(listener.fullAddress(), command, more);
    }

    JsonNode measureAt(String address, String command, Object... more) {
      Object[] all = new Object[more.length + 2];
      System.arraycopy(more, 0, all, 2, more.length);
      all[0] = "address";
      all[1] = address;
      return dialer.call(PATIENCE, command, all);
    }

    @Override
    public void close() {
      dialer.close();
      listener.close();
    }
  }

  /// The samples of one side.
  private static final class Samples {
    private final List<Double> values = new ArrayList<>();

    void add(double value) {
      values.add(value);
    }

    double median() {
      List<Double> sorted = values.stream().sorted().toList();
      int middle = sorted.size() / 2;
      return sorted.size() % 2 == 1
          ? sorted.get(middle)
          : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
    }

    String spread() {
      List<Double> sorted = values.stream().sorted().toList();
      return String.format("(%.4g-%.4g)", sorted.getFirst(), sorted.getLast());
    }
  }

  private void stream() throws Exception {
    for (String listen : WIRES) {
      try (Pair ours = Pair.ours(listen);
          Pair js = Pair.js(listen)) {
        Samples our = new Samples();
        Samples their = new Samples();
        for (int round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
          double theirRate = streamRate(js, js.listener.fullAddress(), STREAM_BYTES);
          double ourRate = streamRate(ours, ours.listener.fullAddress(), STREAM_BYTES);
          if (round >= 0) {
            their.add(theirRate);
            our.add(ourRate);
          }
        }
        row(
            "libp2p-stream",
            metric("one stream, " + (STREAM_BYTES >> 20) + " MiB", listen),
            our,
            "MB/s",
            "js-libp2p",
            their);
        Samples heap = new Samples();
        heap.add(ours.listener.call("info").get("heapBytes").asDouble() / 1e6);
        heap.add(ours.dialer.call("info").get("heapBytes").asDouble() / 1e6);
        Samples jsHeap = new Samples();
        jsHeap.add(js.listener.call("info").get("heapBytes").asDouble() / 1e6);
        jsHeap.add(js.dialer.call("info").get("heapBytes").asDouble() / 1e6);
        row(
            "libp2p-stream",
            metric("heap in use after it", listen),
            heap,
            "MB",
            "js-libp2p",
            jsHeap);
      }
    }
  }

  private static double streamRate(Pair pair, String address, long bytes) {
    JsonNode result =
        pair.measureAt(address, "benchStream", "protocol", "/bench/sink", "bytes", bytes);
    if (result.get("bytes").asLong() != bytes) {
      throw new IllegalStateException("Lost bytes: " + result);
    }
    return bytes / result.get("nanos").asDouble() * 1e3;
  }

  private void roundTrips() throws Exception {
    int count = 5_000;
    for (String listen : WIRES) {
      try (Pair ours = Pair.ours(listen);
          Pair js = Pair.js(listen)) {
        for (String command : List.of("benchRoundTrips", "benchRequests")) {
          Samples our = new Samples();
          Samples their = new Samples();
          for (int round = -2; round < ROUNDS; round++) {
            double theirRate = rate(js, command, count);
            double ourRate = rate(ours, command, count);
            if (round >= 0) {
              their.add(theirRate);
              our.add(ourRate);
            }
          }
          String what =
              command.equals("benchRoundTrips") ? "32 bytes, one stream" : "32 bytes, stream each";
          row("libp2p-roundtrip", metric(what, listen), our, "round trips/s", "js-libp2p", their);
        }
      }
    }
  }

  private static double rate(Pair pair, String command, int count) {
    JsonNode result = pair.measure(command, "protocol", "/bench/echo", "count", count, "bytes", 32);
    return count / result.get("nanos").asDouble() * 1e9;
  }

  private void connects() throws Exception {
    for (String listen : WIRES) {
      try (Pair ours = Pair.ours(listen);
          Pair js = Pair.js(listen)) {
        Samples our = new Samples();
        Samples their = new Samples();
        for (int round = -1; round < ROUNDS; round++) {
          Samples ourRound = connectMillis(ours, ours.listener.fullAddress(), 40);
          Samples theirRound = connectMillis(js, js.listener.fullAddress(), 40);
          if (round >= 0) {
            our.add(ourRound.median());
            their.add(theirRound.median());
          }
        }
        row(
            "libp2p-connect",
            metric("connect and one byte back", listen),
            our,
            "ms",
            "js-libp2p",
            their);
      }
    }
  }

  private static Samples connectMillis(Pair pair, String address, int count) {
    Samples samples = new Samples();
    for (JsonNode nanos :
        pair.measureAt(address, "benchConnects", "protocol", "/bench/echo", "count", count)
            .get("nanos")) {
      samples.add(nanos.asDouble() / 1e6);
    }
    return samples;
  }

  private void delay() throws Exception {
    long bytes = 256L << 20;
    try (Pair ours = Pair.ours(TCP);
        Pair js = Pair.js(TCP);
        DelayingProxy ourPath = path(ours);
        DelayingProxy jsPath = path(js);
        RawSink sink = new RawSink();
        DelayingProxy rawPath = new DelayingProxy(sink.address(), ROUND_TRIP)) {
      String toOurs = through(ourPath, ours);
      String toJs = through(jsPath, js);
      Samples our = new Samples();
      Samples their = new Samples();
      Samples raw = new Samples();
      for (int round = 0; round <= ROUNDS; round++) {
        double rawRate = sink.rate(rawPath.address(), bytes);
        double theirRate = streamRate(js, toJs, bytes);
        double ourRate = streamRate(ours, toOurs, bytes);
        if (round > 0) {
          raw.add(rawRate);
          their.add(theirRate);
          our.add(ourRate);
        }
      }
      row("libp2p-delay", "60 ms, one stream", our, "MB/s", "raw TCP", raw);
      row("libp2p-delay", "60 ms, one stream, js-libp2p's", their, "MB/s", "raw TCP", raw);
    }
    try (Pair ours = Pair.ours(TCP);
        Pair js = Pair.js(TCP);
        DelayingProxy ourPath = path(ours);
        DelayingProxy jsPath = path(js)) {
      Samples our = new Samples();
      Samples their = new Samples();
      for (int round = -1; round < ROUNDS; round++) {
        double ourMillis = connectMillis(ours, through(ourPath, ours), 3).median();
        double theirMillis = connectMillis(js, through(jsPath, js), 3).median();
        if (round >= 0) {
          our.add(ourMillis / ROUND_TRIP.toMillis());
          their.add(theirMillis / ROUND_TRIP.toMillis());
        }
      }
      row("libp2p-delay", "60 ms, connect and one byte", our, "round trips", "js-libp2p", their);
    }
  }

  private void idle() throws Exception {
    // A peer keeps one connection to another: so many hosts on each side, each with each.
    int hosts = 45;
    try (PeerProcess listeners = BenchPeer.start("1g", hosts, TCP);
        PeerProcess dialers = BenchPeer.start("1g", hosts)) {
      List<String> addresses = new ArrayList<>();
      listeners.call("info").get("addresses").forEach(one -> addresses.add(one.asText()));
      // One connection of each host brings up what comes with a host's first.
      dialers.call(PATIENCE, "dialAll", "addresses", addresses.subList(0, 1));
      JsonNode dialersBefore = dialers.call(PATIENCE, "memory");
      JsonNode listenersBefore = listeners.call(PATIENCE, "memory");
      dialers.call(PATIENCE, "dialAll", "addresses", addresses);
      JsonNode dialersAfter = dialers.call(PATIENCE, "memory");
      JsonNode listenersAfter = listeners.call(PATIENCE, "memory");
      idleRow("dialling side", dialersBefore, dialersAfter);
      idleRow("listening side", listenersBefore, listenersAfter);
    }
  }

  private void idleRow(String side, JsonNode before, JsonNode after) {
    double connections = after.get("connections").asDouble() - before.get("connections").asDouble();
    Samples limit = new Samples();
    limit.add(64);
    for (String kind : List.of("heapBytes", "directBytes")) {
      Samples each = new Samples();
      each.add((after.get(kind).asDouble() - before.get(kind).asDouble()) / connections / 1024);
      row(
          "libp2p-idle",
          side + ", " + kind.replace("Bytes", "") + ", " + (int) connections,
          each,
          "KiB each",
          "limit",
          limit);
    }
  }

  private static DelayingProxy path(Pair pair) throws IOException {
    int port =
        pair.listener.addresses().getFirst().first(AddressProtocol.TCP).orElseThrow().number();
    return new DelayingProxy(
        new InetSocketAddress(InetAddress.getLoopbackAddress(), port), ROUND_TRIP);
  }

  private static String through(DelayingProxy path, Pair pair) {
    return "/ip4/127.0.0.1/tcp/" + path.address().getPort() + "/p2p/" + pair.listener.id();
  }

  /// Raw TCP on the same path: the most that a stream over TCP could reach.
  private static final class RawSink implements AutoCloseable {
    private final ServerSocket server = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());

    RawSink() throws IOException {
      Thread.ofPlatform().daemon().start(this::serve);
    }

    InetSocketAddress address() {
      return (InetSocketAddress) server.getLocalSocketAddress();
    }

    private void serve() {
      byte[] buffer = new byte[64 * 1024];
      try {
        while (true) {
          try (Socket socket = server.accept()) {
            InputStream in = socket.getInputStream();
            while (in.read(buffer) >= 0) {
              // Counted by its end.
            }
            socket.getOutputStream().write(1);
          }
        }
      } catch (IOException e) {
        // Closed.
      }
    }

    double rate(InetSocketAddress to, long bytes) throws IOException {
      byte[] chunk = new byte[64 * 1024];
      try (Socket socket = new Socket(to.getAddress(), to.getPort())) {
        long start = System.nanoTime();
        OutputStream out = socket.getOutputStream();
        for (long sent = 0; sent < bytes; sent += chunk.length) {
          out.write(chunk);
        }
        socket.shutdownOutput();
        if (socket.getInputStream().read() != 1) {
          throw new IOException("the sink did not answer");
        }
        return bytes / (double) (System.nanoTime() - start) * 1e3;
      }
    }

    @Override
    public void close() throws IOException {
      server.close();
    }
  }

  private static String metric(String what, String listen) {
    return what + (listen.equals(QUIC) ? ", QUIC" : ", TCP");
  }

  private void row(
      String bench, String metric, Samples ours, String unit, String peer, Samples theirs) {
    double ratio = ours.median() / theirs.median();
    System.out.printf(
        "%-17s %-30s %10.1f %-17s %-13s %-10s %10.1f %-17s %6.2f%n",
        bench,
        metric,
        ours.median(),
        ours.spread(),
        unit,
        peer,
        theirs.median(),
        theirs.spread(),
        ratio);
    ObjectNode line = PeerProcess.MAPPER.createObjectNode();
    line.put("bench", bench)
        .put("metric", metric)
        .put("value", ours.median())
        .put("unit", unit)
        .put("peer", peer)
        .put("peerValue", theirs.median())
        .put("ratio", ratio);
    json.add(line.toString());
  }
}

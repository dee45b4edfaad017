package io.rigmesh.libp2p.interop;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.UnaryOperator;

/// A js-libp2p peer, the oracle of these tests; see src/test/interop/peer.mjs for its commands.
public final class JsPeer extends PeerProcess {
  private JsPeer(List<String> command) throws IOException {
    super(new ProcessBuilder(command).directory(folder().toFile()));
  }

  public static Options options() {
    return new Options();
  }

  /// What a peer is started with.
  public static final class Options {
    private final ObjectNode options = MAPPER.createObjectNode();
    private UnaryOperator<List<String>> place = command -> command;

    private Options() {
      options.putArray("listen");
      options.putArray("transports");
      options.putArray("security");
      options.putArray("services").add("identify").add("ping");
    }

    /// Listens on a loopback port with TCP and this security, `noise` or `tls`.
    public Options tcp(String security) {
      options.withArray("transports").add("tcp");
      options.withArray("security").add(security);
      return listen("/ip4/127.0.0.1/tcp/0");
    }

    /// Listens on a loopback port with QUIC.
    public Options quic() {
      options.withArray("transports").add("quic");
      options.withArray("security").add("noise");
      return listen("/ip4/127.0.0.1/udp/0/quic-v1");
    }

    public Options transport(String name) {
      options.withArray("transports").add(name);
      return this;
    }

    public Options listen(String address) {
      options.withArray("listen").add(address);
      return this;
    }

    /// `identifyPush`, `gossip`, `kad`, `relay`, `dcutr`, `autonat`; identify and ping are there.
    public Options services(String... names) {
      for (String name : names) {
        options.withArray("services").add(name);
      }
      return this;
    }

    /// Where the peer's command runs, such as in a network namespace.
    public Options in(UnaryOperator<List<String>> where) {
      place = where;
      return this;
    }

    public Options set(String name, Object value) {
      options.set(name, MAPPER.valueToTree(value));
      return this;
    }

    public JsPeer start() {
      try {
        return new JsPeer(
            place.apply(List.of(node(folder()).toString(), "peer.mjs", options.toString())));
      } catch (IOException e) {
        throw new AssertionError("js-libp2p could not be started", e);
      }
    }
  }

  /// Where peer.mjs stands: the property `rigmesh.interop`, or in the module being tested.
  private static Path folder() {
    String named = System.getProperty("rigmesh.interop");
    Path folder = Path.of(named == null ? "src/test/interop" : named).toAbsolutePath();
    if (!Files.exists(folder.resolve("peer.mjs"))) {
      throw new AssertionError("There is no peer.mjs in " + folder + "; set -Drigmesh.interop.");
    }
    return folder;
  }

  private static Path node(Path folder) {
    String machine = System.getProperty("os.arch").equals("aarch64") ? "arm64" : "x64";
    Path node = folder.resolve("node_modules/node-linux-" + machine + "/bin/node");
    if (!Files.exists(node)) {
      throw new AssertionError(
          "js-libp2p is not installed: run libp2p/src/test/interop/install.sh (scripts/test.sh"
              + " does).");
    }
    return node;
  }
}

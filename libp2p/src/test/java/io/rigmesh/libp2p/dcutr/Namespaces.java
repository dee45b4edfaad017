package io.rigmesh.libp2p.dcutr;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/// Hosts with network stacks of their own, as network namespaces of this machine. Either peers side
/// by side on one public network, see [#internet]; or two home networks behind routers that
/// translate addresses and a public network between them, see [#homes]:
///
/// ```
/// a (192.168.1.2) - nata (203.0.113.21) - hub - natb (203.0.113.22) - b (192.168.2.2)
///                                          |
///                               relay (203.0.113.10)
/// ```
///
/// The routers keep the port when it is free, and drop what nobody inside has asked for.
public final class Namespaces {
  private static final String PREFIX = "rm" + ProcessHandle.current().pid() % 100_000;

  /// Lets in whoever this host has sent something to, from and to whatever ports.
  private static final String WALL =
      """
      table ip wall {
        set met {
          type ipv4_addr
          flags dynamic
          size 256
        }
        chain leaving {
          type filter hook output priority 0; policy accept;
          add @met { ip daddr }
        }
        chain arriving {
          type filter hook input priority 0; policy accept;
          iifname "lo" accept
          ct state established,related accept
          ip saddr @met accept
          drop
        }
      }
      """;

  /// Lets in what belongs to connections that this host has made, and refuses others at once.
  private static final String SHUT =
      """
      table ip wall {
        chain arriving {
          type filter hook input priority 0; policy accept;
          iifname "lo" accept
          ct state established,related accept
          meta l4proto tcp reject with tcp reset
          drop
        }
      }
      """;

  private final List<String> made = new ArrayList<>();
  private final List<String> peers = new ArrayList<>();

  /// Why this machine cannot do it; empty when it can.
  public static Optional<String> unavailability() throws IOException, InterruptedException {
    if (!System.getProperty("os.name").equals("Linux")) {
      return Optional.of("network namespaces exist on Linux alone");
    }
    if (missing("ip", "-V") || missing("nft", "--version")) {
      return Optional.of(
          "ip or nft is missing; as root: apt-get install --no-install-recommends iproute2"
              + " nftables");
    }
    String probe = PREFIX + "probe";
    try {
      run("ip", "netns", "add", probe);
    } catch (IOException e) {
      return Optional.of("network namespaces are not permitted here: " + e.getMessage());
    }
    try {
      run("ip", "-n", probe, "link", "add", "x0", "type", "veth", "peer", "name", "x1");
      run("ip", "-n", probe, "link", "add", "br0", "type", "bridge");
      nft(
          probe,
          """
          table ip home {
            chain translate {
              type nat hook postrouting priority 100;
              masquerade
            }
          }
          """);
      nft(probe, WALL);
      return Optional.empty();
    } catch (IOException e) {
      return Optional.of("this kernel has no bridges or address translation: " + e.getMessage());
    } finally {
      run("ip", "netns", "del", probe);
    }
  }

  private static boolean missing(String... command) throws InterruptedException {
    try {
      run(command);
      return false;
    } catch (IOException e) {
      return true;
    }
  }

  /// Two peers at home and a relay.
  static Namespaces homes() throws IOException, InterruptedException {
    Namespaces all = new Namespaces();
    try {
      all.makeHub();
      all.make("relay");
      all.attach("relay", "eth0", "203.0.113.10/24");
      all.home("nata", "203.0.113.21/24", "a", "192.168.1");
      all.home("natb", "203.0.113.22/24", "b", "192.168.2");
      return all;
    } catch (IOException e) {
      all.close();
      throw e;
    }
  }

  /// Peers of these names, all on one network, with the public addresses of [#address].
  public static Namespaces internet(String... peers) throws IOException, InterruptedException {
    Namespaces all = new Namespaces();
    try {
      all.makeHub();
      for (String peer : peers) {
        all.peers.add(peer);
        all.make(peer);
        all.attach(peer, "eth0", all.address(peer) + "/24");
      }
      return all;
    } catch (IOException e) {
      all.close();
      throw e;
    }
  }

  /// The address of a peer of [#internet]: one that every implementation takes for a public one,
  /// and that is nobody's here.
  public String address(String peer) {
    return "5.6.7." + (10 + peers.indexOf(peer));
  }

  /// Drops what comes to a peer from addresses that it has not sent anything to, as many routers
  /// do: a hole is punched by whoever sends first.
  public void guard(String peer) throws IOException, InterruptedException {
    nft(name(peer), WALL);
  }

  /// Refuses every connection that others make to a peer.
  public void shut(String peer) throws IOException, InterruptedException {
    nft(name(peer), SHUT);
  }

  String name(String namespace) {
    return PREFIX + namespace;
  }

  private void makeHub() throws IOException, InterruptedException {
    make("hub");
    run("ip", "-n", name("hub"), "link", "add", "br0", "type", "bridge");
    up("hub", "br0");
  }

  private void make(String namespace) throws IOException, InterruptedException {
    run("ip", "netns", "add", name(namespace));
    made.add(name(namespace));
    up(namespace, "lo");
  }

  /// Plugs an interface of a namespace into the public network.
  private void attach(String namespace, String device, String address)
      throws IOException, InterruptedException {
    run(
        "ip",
        "-n",
        name("hub"),
        "link",
        "add",
        namespace,
        "type",
        "veth",
        "peer",
        "name",
        device,
        "netns",
        name(namespace));
    run("ip", "-n", name("hub"), "link", "set", namespace, "master", "br0");
    up("hub", namespace);
    run("ip", "-n", name(namespace), "address", "add", address, "dev", device);
    up(namespace, device);
  }

  private void home(String router, String outside, String peer, String network)
      throws IOException, InterruptedException {
    make(router);
    make(peer);
    attach(router, "wan", outside);
    run(
        "ip",
        "-n",
        name(router),
        "link",
        "add",
        "lan",
        "type",
        "veth",
        "peer",
        "name",
        "eth0",
        "netns",
        name(peer));
    run("ip", "-n", name(router), "address", "add", network + ".1/24", "dev", "lan");
    up(router, "lan");
    run("ip", "-n", name(peer), "address", "add", network + ".2/24", "dev", "eth0");
    up(peer, "eth0");
    run("ip", "-n", name(peer), "route", "add", "default", "via", network + ".1");
    run("ip", "netns", "exec", name(router), "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward");
    nft(
        name(router),
        """
        table ip home {
          chain translate {
            type nat hook postrouting priority 100;
            oifname "wan" masquerade
          }
          chain forwarded {
            type filter hook forward priority 0; policy drop;
            iifname "lan" accept
            ct state established,related accept
          }
          chain arriving {
            type filter hook input priority 0; policy accept;
            iifname "wan" ct state established,related accept
            iifname "wan" drop
          }
        }
        """);
  }

  private void up(String namespace, String device) throws IOException, InterruptedException {
    run("ip", "-n", name(namespace), "link", "set", device, "up");
  }

  /// Cuts a link at one end; the other end loses its carrier.
  void cut(String namespace, String device) throws IOException, InterruptedException {
    run("ip", "-n", name(namespace), "link", "set", device, "down");
  }

  void heal(String namespace, String device) throws IOException, InterruptedException {
    up(namespace, device);
  }

  private static void nft(String namespace, String rules) throws IOException, InterruptedException {
    Path file = Files.createTempFile("rules", ".nft");
    try {
      Files.writeString(file, rules);
      run("ip", "netns", "exec", namespace, "nft", "-f", file.toString());
    } finally {
      Files.delete(file);
    }
  }

  private static void run(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), UTF_8).strip();
    if (!process.waitFor(60, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new IOException(String.join(" ", command) + " does not end");
    }
    if (process.exitValue() != 0) {
      throw new IOException(String.join(" ", command) + ": " + output);
    }
  }

  /// The command line that runs another in a namespace.
  public List<String> inside(String namespace, List<String> command) {
    List<String> all = new ArrayList<>(List.of("ip", "netns", "exec", name(namespace)));
    all.addAll(command);
    return all;
  }

  public void close() throws IOException, InterruptedException {
    for (String namespace : made) {
      run("ip", "netns", "del", namespace);
    }
  }
}

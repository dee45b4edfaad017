package io.rigmesh.ledger.dev;

import io.rigmesh.ledger.LedgerException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;
import tools.jackson.databind.JsonNode;

/// The chain that a test runs against: anvil, or Hardhat's network where the property
/// `rigmesh.test.chain` says so. The suite runs against both, so that no client's quirk is relied
/// on.
public final class TestChain {
  private static final boolean HARDHAT =
      "hardhat".equals(System.getProperty("rigmesh.test.chain", "anvil"));
  private static final Path FOLDER = Path.of("src", "test", "hardhat").toAbsolutePath();
  private static final Path INTEROP = FOLDER.resolve("../../../../libp2p/src/test/interop");

  /// Hardhat takes seconds to start, so one that has been given back is set back and given again.
  private static Optional<Spare> spare = Optional.empty();

  private TestChain() {}

  /// A chain that nobody uses.
  ///
  /// @param chain its process
  /// @param snapshot its state at the beginning
  private record Spare(DevChain chain, String snapshot) {}

  /// A chain of the id 31337 that mines a block for every transaction.
  public static DevChain start() {
    return start(0, 31337);
  }

  /// The same in a process of its own, which ends when it is closed.
  public static DevChain startOwn() {
    return HARDHAT ? hardhat(0, 31337) : start(0, 31337);
  }

  /// The same on a port of its own, or of another id.
  public static DevChain start(int port, long chainId) {
    return HARDHAT
        ? port == 0 && chainId == 31337 ? hardhatAgain() : hardhat(port, chainId)
        : DevChain.start(
            new DevChain.Settings(
                AnvilBinary.find(Path.of("")), port, chainId, Optional.empty(), Optional.empty()));
  }

  /// Skips a test that the second client cannot run.
  public static void onlyAnvil(String why) {
    Assumptions.assumeFalse(HARDHAT, "Hardhat's network " + why);
  }

  /// Makes empty blocks. Hardhat's own method for many makes blocks whose parents do not link.
  public static void mine(DevChain chain, int blocks) {
    if (!HARDHAT) {
      chain.request("anvil_mine", "0x" + Integer.toHexString(blocks));
      return;
    }
    for (int i = 0; i < blocks; i++) {
      chain.request("evm_mine");
    }
  }

  /// Forgets every transaction that waits for a block.
  public static void dropWaiting(DevChain chain) {
    if (!HARDHAT) {
      chain.request("anvil_dropAllTransactions");
      return;
    }
    for (JsonNode waiting : waiting(chain)) {
      chain.request("hardhat_dropTransaction", waiting.stringValue());
    }
  }

  /// The hashes of the transactions that wait for a block and could be in the next.
  public static JsonNode waiting(DevChain chain) {
    return chain.request("eth_getBlockByNumber", "pending", false).path("transactions");
  }

  private static synchronized DevChain hardhatAgain() {
    DevChain process;
    if (spare.isPresent()) {
      process = spare.get().chain();
      process.request("evm_revert", spare.get().snapshot());
      process.request("evm_setAutomine", true);
      spare = Optional.empty();
    } else {
      process = hardhat(0, 31337);
    }
    String beginning = process.request("evm_snapshot").stringValue();
    return new DevChain(
        process.endpoint(),
        process.chainId(),
        process.processId(),
        () -> giveBack(new Spare(process, beginning)));
  }

  /// The one that is kept at the end goes with this process.
  private static synchronized void giveBack(Spare back) {
    spare.ifPresent(other -> other.chain().close());
    spare = Optional.of(back);
  }

  private static DevChain hardhat(int port, long chainId) {
    Path program = FOLDER.resolve("node_modules/hardhat/dist/src/cli.js");
    String machine = System.getProperty("os.arch", "").equals("aarch64") ? "arm64" : "x64";
    Path node = INTEROP.resolve("node_modules/node-linux-" + machine + "/bin/node").normalize();
    if (!Files.exists(program) || !Files.exists(node)) {
      throw new LedgerException(
          "Hardhat is not installed: run ledger-client/src/test/hardhat/install.sh (scripts/test.sh does).");
    }
    ProcessBuilder process =
        new ProcessBuilder(
                node.toString(),
                program.toString(),
                "node",
                "--hostname",
                "127.0.0.1",
                "--port",
                Integer.toString(port))
            .directory(FOLDER.toFile());
    process.environment().putAll(Map.of("CHAIN_ID", Long.toString(chainId), "NO_COLOR", "1"));
    return DevChain.start(process, chainId);
  }
}

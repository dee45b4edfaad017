package io.rigmesh.node.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.rigmesh.ledger.chain.ChainRpc;
import io.rigmesh.ledger.chain.RpcSettings;
import io.rigmesh.node.chain.ChainAddresses;
import io.rigmesh.node.chain.Contracts;
import io.rigmesh.node.config.ChainConfig;
import io.rigmesh.node.receipts.AnchoredReceipt;
import io.rigmesh.node.receipts.AnchorsJson;
import io.rigmesh.node.receipts.ProofCheck;
import io.rigmesh.protocol.ProtocolJson;
import io.rigmesh.protocol.Receipt;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Checks somebody else's proof against the chain.
@Command(
    name = "check",
    description = {
      "Check a file that 'rigmesh receipts prove JOB --json' printed, anywhere: that its provider"
          + " signed the receipt, and that the account anchored it when the file says. Needs an"
          + " endpoint of the chain, and no daemon, account or key. Exits 0 only if all of it is"
          + " true."
    })
final class ReceiptsCheckCommand implements Callable<Integer> {
  private static final int PROOF_BYTES_MAX = 65_536;

  @Mixin private NodeOptions node;
  @Mixin private OutputOptions output;

  @Parameters(paramLabel = "FILE", description = "The proof.")
  private Path file;

  @Option(
      names = "--rpc",
      paramLabel = "URL",
      description = "A JSON-RPC endpoint of the proof's chain (default: chain.rpc-urls).")
  private @Nullable URI rpc;

  @Override
  public Integer call() {
    AnchoredReceipt claim = AnchorsJson.read(ProtocolJson.parse(read(file), file.toString()));
    ChainConfig config = node.settings().chain();
    try (ChainRpc chain = ChainRpc.connect(endpoints(config, claim.chainId()))) {
      ProofCheck.check(chain, Contracts.receiptLog(config, claim.chainId()), claim);
    }
    print(claim);
    return ExitCode.OK;
  }

  private RpcSettings endpoints(ChainConfig config, long chainId) {
    URI named = rpc;
    return named == null ? ChainAddresses.rpc(config, chainId) : RpcSettings.of(chainId, named);
  }

  private void print(AnchoredReceipt claim) {
    Console console = Console.ofProcess();
    Receipt receipt = claim.receipt().receipt();
    if (output.json()) {
      console.print(
          JsonNodeFactory.instance
              .objectNode()
              .put("proven", true)
              .put("job", receipt.job().hex())
              .put("provider", receipt.provider().hex())
              .put("receiptHash", receipt.hash().hex())
              .put("chainId", Long.toString(claim.chainId()))
              .put("log", claim.log().hex())
              .put("root", claim.proof().root().hex())
              .put("account", claim.account().hex())
              .put("anchoredAt", claim.anchoredAt().toString()));
    } else {
      console.print(
          "The receipt of the job %s by %s was anchored by %s at %s, in the ReceiptLog %s on the chain %d."
              .formatted(
                  receipt.job(),
                  receipt.provider(),
                  claim.account(),
                  claim.anchoredAt(),
                  claim.log(),
                  claim.chainId()));
    }
  }

  private static byte[] read(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes(PROOF_BYTES_MAX + 1);
      if (bytes.length > PROOF_BYTES_MAX) {
        throw CliException.hopeless(
            file + " has more than " + PROOF_BYTES_MAX + " bytes; is it a proof?");
      }
      return bytes;
    } catch (IOException e) {
      throw CliException.hopeless("cannot read " + file + ": " + e.getMessage(), e);
    }
  }
}

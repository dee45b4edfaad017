package io.rigmesh.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.rigmesh.protocol.Hash;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/// Receipts under roots that the account writes into the chain.
@Command(
    name = "receipts",
    description = {
      "Show which roots over the node's receipts its account wrote into the chain's ReceiptLog, and"
          + " how many receipts are under none. An anchored root shows that its receipts existed"
          + " then and that the account stands by them, not that they are right: see 'rigmesh"
          + " verify'."
    },
    subcommands = {
      ReceiptsCommand.Anchor.class,
      ReceiptsCommand.Prove.class,
      ReceiptsCheckCommand.class
    })
final class ReceiptsCommand implements Callable<Integer> {
  @Mixin private NodeOptions node;
  @Mixin private OutputOptions output;

  @Override
  public Integer call() {
    Console console = Console.ofProcess();
    JsonNode listing = ReceiptsAccess.open(node.settings()).list();
    if (output.json()) {
      console.print(listing);
      return ExitCode.OK;
    }
    console.print("chain      " + listing.path("chainId").asText());
    console.print("log        " + listing.path("log").asText());
    console.print("account    " + listing.path("account").asText());
    console.print("waiting    " + count(listing.path("waiting").asLong()));
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("ROOT", "RECEIPTS", "ANCHORED", "BLOCK", "TRANSACTION"));
    for (JsonNode anchor : listing.path("anchors")) {
      rows.add(
          List.of(
              anchor.path("root").asText(),
              anchor.path("receipts").asText(),
              anchor.path("anchoredAt").asText("not yet"),
              anchor.path("block").asText("-"),
              anchor.path("transaction").asText("-")));
    }
    if (rows.size() > 1) {
      console.print("");
      console.table(rows);
    }
    return ExitCode.OK;
  }

  private static String count(long receipts) {
    return receipts == 1 ? "1 receipt" : receipts + " receipts";
  }

  /// Writes a root over what waits.
  @Command(
      name = "anchor",
      description = {
        "Write the Merkle root over the node's receipts that are under none yet into the chain's"
            + " ReceiptLog, in one transaction. What was begun before is gone on with; nothing is"
            + " anchored twice."
      })
  static final class Anchor implements Callable<Integer> {
    @Mixin private NodeOptions node;
    @Mixin private OutputOptions output;

    @Override
    public Integer call() {
      Console console = Console.ofProcess();
      ReceiptsAccess receipts = ReceiptsAccess.open(node.settings());
      console.say("done " + receipts.doneBy());
      JsonNode done = receipts.anchor();
      if (output.json()) {
        console.print(done);
      } else {
        console.print(done.path("root").asText());
        console.say(
            "anchored "
                + count(done.path("receipts").asLong())
                + " at "
                + done.path("anchoredAt").asText()
                + (done.has("transaction")
                    ? " in block %s, for %s gas"
                        .formatted(done.path("block").asText(), done.path("gasUsed").asText())
                    : ", by another program of the account"));
      }
      long waiting = done.path("waiting").asLong();
      if (waiting > 0) {
        console.say(
            count(waiting)
                + " came since or had no room; 'rigmesh receipts anchor' again is for them");
      }
      return ExitCode.OK;
    }
  }

  /// Prints the proof of one receipt.
  @Command(
      name = "prove",
      description = {
        "Print the proof that a job's receipt is under an anchored root, which the contract itself"
            + " has checked. With --json it is the file that 'rigmesh receipts check' reads, on any"
            + " machine that has an endpoint of the chain."
      })
  static final class Prove implements Callable<Integer> {
    @Mixin private NodeOptions node;
    @Mixin private OutputOptions output;

    @Parameters(paramLabel = "JOB", description = "The job's id.")
    private String job;

    @Override
    public Integer call() {
      Console console = Console.ofProcess();
      Hash id = Hash.fromHex(JobText.id(job));
      JsonNode proof = ReceiptsAccess.open(node.settings()).prove(id);
      if (output.json()) {
        console.print(proof);
        return ExitCode.OK;
      }
      console.print("job        " + id);
      console.print("receipt    " + proof.path("receiptHash").asText());
      console.print("root       " + proof.path("root").asText());
      console.print(
          "anchored   "
              + proof.path("anchoredAt").asText()
              + (proof.has("block") ? " in block " + proof.path("block").asText() : ""));
      if (proof.has("transaction")) {
        console.print("by         " + proof.path("transaction").asText());
      }
      console.print("account    " + proof.path("account").asText());
      console.print(
          "log        %s on the chain %s"
              .formatted(proof.path("log").asText(), proof.path("chainId").asText()));
      console.print(
          "leaf       %d, from 0, of %d"
              .formatted(proof.path("index").asInt(), proof.path("receipts").asInt()));
      String name = "path       ";
      for (JsonNode hash : proof.path("path")) {
        console.print(name + hash.asText());
        name = " ".repeat(name.length());
      }
      console.say("the contract finds the receipt under the root");
      return ExitCode.OK;
    }
  }
}

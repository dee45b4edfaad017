package io.rigmesh.node.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rigmesh.ledger.wallet.LockedChannel;
import io.rigmesh.protocol.TokenAmount;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/// What of the account's tokens is with the channels' contract, where, and until when.
@Command(
    name = "locked",
    description = {
      "Show what of the account's tokens is free in its balance with the channels' contract, and what"
          + " its channels hold, for whom and until when."
    })
final class WalletLockedCommand implements Callable<Integer> {
  @Mixin private WalletOptions options;
  @Mixin private OutputOptions output;

  @Override
  public Integer call() {
    Console console = Console.ofProcess();
    return options.with((wallet, decimals) -> {
      List<LockedChannel> locked = wallet.report(Optional.empty(), 1).locked();
      TokenAmount free = wallet.money().channelBalance(wallet.account());
      if (output.json()) {
        ObjectNode shown =
            JsonNodeFactory.instance
                .objectNode()
                .put("account", wallet.account().hex())
                .put("free", WalletOptions.text(free, decimals));
        var list = shown.putArray("channels");
        for (LockedChannel channel : locked) {
          ObjectNode line =
              list.addObject()
                  .put("channel", channel.channel().hex())
                  .put("payee", channel.payee().hex())
                  .put("amount", WalletOptions.text(channel.amount(), decimals));
          channel.closesAt().ifPresent(at -> line.put("until", at.toString()));
        }
        console.print(shown);
      } else {
        console.print(
            "free in channels  %s %s"
                .formatted(WalletOptions.text(free, decimals), wallet.money().symbol()));
        if (!locked.isEmpty()) {
          List<List<String>> rows = new ArrayList<>();
          rows.add(List.of("CHANNEL", "PAYEE", "AMOUNT", "UNTIL"));
          for (LockedChannel channel : locked) {
            rows.add(
                List.of(
                    channel.channel().hex(),
                    channel.payee().hex(),
                    WalletOptions.text(channel.amount(), decimals),
                    channel.closesAt().map(Object::toString).orElse("it is closed")));
          }
          console.print("");
          console.table(rows);
        }
      }
      return ExitCode.OK;
    });
  }
}

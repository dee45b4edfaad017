package io.rigmesh.ledger.channel;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.ledger.Party;
import io.rigmesh.ledger.dev.Deployment;
import io.rigmesh.ledger.escrow.Escrow;
import io.rigmesh.ledger.escrow.EscrowStatus;
import io.rigmesh.ledger.escrow.TokenClient;
import io.rigmesh.ledger.intent.Intent;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.TokenAmount;
import java.math.BigInteger;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The end of a schedule, when nothing fails any more: everything is handed in, left and closed,
/// and then every number must be what the seed's jobs cost, on the chain and in both books.
///
/// @param schedule what was to be done
/// @param requester the requester's node
/// @param provider the provider's
/// @param deployment the contracts
/// @param channelsHeld what the channels' contract held before
/// @param escrowHeld what the escrow held before
record FaultReckoning(
    FaultSchedule schedule,
    FaultNode requester,
    FaultNode provider,
    Deployment deployment,
    TokenAmount channelsHeld,
    TokenAmount escrowHeld) {
  /// What each side has of the chain's coin at first.
  static final BigInteger ETHER = BigInteger.TEN.pow(19);

  /// Hands in, leaves and closes what is still open.
  void settle(FaultyChain blocks, Duration challenge) {
    PayerBook payer = requester.channels().payer;
    PayeeBook payee = provider.channels().payee;
    FaultNode.retry(() -> {
      provider.channels().redemption.redeemAll();
      FaultNode.require(
          payee.channels().stream().allMatch(c -> c.promised().equals(c.channel().redeemed())),
          "vouchers are still to be handed in: " + payee.channels());
      return true;
    });
    for (PayerChannel channel : payer.channels()) {
      if (isOpen(channel)) {
        FaultNode.retry(() -> {
          payer.leave(channel.channel().terms().id());
          return true;
        });
      }
    }
    blocks.passTo(
        requester.channels().party.rpc().head().timestamp().plus(challenge).getEpochSecond() + 1);
    FaultNode.retry(() -> {
      // The chain's clock is not this machine's, so it is the chain that says whether it is time.
      payer.channels().stream()
          .filter(FaultReckoning::isOpen)
          .forEach(c -> requester.channels().client.close(c.channel().terms()));
      payer.closeDue();
      FaultNode.require(
          payer.channels().stream().noneMatch(FaultReckoning::isOpen),
          "channels are still to be closed");
      return true;
    });
  }

  private static boolean isOpen(PayerChannel channel) {
    return channel.state() != PayerChannel.State.FAILED && !channel.channel().closed();
  }

  /// Compares all numbers.
  void check() {
    TokenClient tokens = requester.channels().token;
    Address token = deployment.token();
    Address payer = requester.channels().party.address();
    Address payee = provider.channels().party.address();
    TokenAmount price = TokenAmount.of(schedule.price());
    TokenAmount trained = TokenAmount.of(schedule.training().price());
    for (FaultSchedule.Work job : schedule.jobs()) {
      assertThat(requester.channels().payer.paid(job.id())).isEqualTo(TokenAmount.of(job.price()));
    }
    // The chain: what was paid is the provider's, everything else the requester's.
    TokenAmount earned = provider.channels().client.balance(payee, token);
    TokenAmount rest = requester.channels().client.balance(payer, token);
    assertThat(earned).as("what channels paid the provider").isEqualTo(price);
    assertThat(tokens.balance(payee)).as("what the escrow paid the provider").isEqualTo(trained);
    assertThat(tokens.balance(payer).plus(rest))
        .as("what the requester has left")
        .isEqualTo(FaultSchedule.WALLET.minus(price).minus(trained));
    assertThat(tokens.balance(deployment.channels()))
        .as("what the channels' contract holds")
        .isEqualTo(channelsHeld.plus(earned).plus(rest));
    assertThat(tokens.balance(deployment.escrow()))
        .as("what the escrow holds")
        .isEqualTo(escrowHeld);
    requireTraining(payer);
    requireBooks(price);
    requireHistory(requester.channels());
    requireHistory(provider.channels());
    requireGas(requester.channels().party);
    requireGas(provider.channels().party);
  }

  private void requireTraining(Address payer) {
    FaultSchedule.Training job = schedule.training();
    boolean whole = job.parts().size() == job.milestones();
    for (FaultNode node : List.of(requester, provider)) {
      Escrow escrow = node.escrow().escrow(payer, job.id()).orElseThrow();
      assertThat(escrow.status()).isEqualTo(whole ? EscrowStatus.RELEASED : EscrowStatus.REFUNDED);
      assertThat(escrow.proven()).isEqualTo(job.parts().size());
      assertThat(escrow.paid()).isEqualTo(job.parts().size());
      assertThat(escrow.amountDue()).isEqualTo(TokenAmount.of(job.price()));
    }
  }

  /// Both sides have the chain's numbers.
  private void requireBooks(TokenAmount price) {
    Map<Hash, PayeeChannel> payees = new HashMap<>();
    provider.channels().payee.channels().forEach(c -> payees.put(c.channel().terms().id(), c));
    TokenAmount spent = TokenAmount.ZERO;
    for (PayerChannel channel : requester.channels().payer.channels()) {
      spent = spent.plus(channel.spent());
      Hash id = channel.channel().terms().id();
      assertThat(channel.held()).isEqualTo(TokenAmount.ZERO);
      assertThat(channel.channel().redeemed()).isEqualTo(channel.spent());
      if (payees.containsKey(id)) {
        assertThat(payees.get(id).promised()).isEqualTo(channel.spent());
        assertThat(payees.get(id).owed()).isEqualTo(channel.spent());
        assertThat(payees.get(id).channel().redeemed()).isEqualTo(channel.spent());
      } else {
        assertThat(channel.spent()).isEqualTo(TokenAmount.ZERO);
      }
    }
    assertThat(spent).isEqualTo(price);
  }

  /// What follows from the events since genesis is what the books keep.
  private static void requireHistory(ChannelParty party) {
    long confirmed = party.party.rpc().head().number() - FaultNode.CONFIRMATIONS + 1;
    party.follower.awaitBlock(confirmed, Party.TIMEOUT);
    Map<Hash, Channel> history =
        ChannelHistory.after(
            party.follower.newest(party.events, Optional.empty(), 100_000).reversed());
    for (PayerChannel kept : party.payer.channels()) {
      if (kept.state() != PayerChannel.State.FAILED) {
        assertThat(history.get(kept.channel().terms().id())).isEqualTo(kept.channel());
      }
    }
    FaultNode.retry(() -> {
      party.redemption.redeemAll();
      for (PayeeChannel kept : party.payee.channels()) {
        FaultNode.require(
            kept.channel().equals(history.get(kept.channel().terms().id())),
            "the book has " + kept + " and its history is " + history);
      }
      return true;
    });
    assertThat(history).isNotEmpty();
  }

  /// Every transaction of the account is one that is stored, and what is gone of its ether is gas.
  private static void requireGas(Party party) {
    BigInteger fees = BigInteger.ZERO;
    long included = 0;
    for (Intent intent : party.store().list("")) {
      if (intent.inclusion().isPresent()) {
        fees = fees.add(intent.inclusion().get().feeWei());
        included++;
      }
    }
    assertThat(party.rpc().nonce(party.address())).isEqualTo(included);
    assertThat(party.rpc().balanceWei(party.address())).isEqualTo(ETHER.subtract(fees));
  }
}

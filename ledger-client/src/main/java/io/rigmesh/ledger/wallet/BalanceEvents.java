package io.rigmesh.ledger.wallet;

import io.rigmesh.ledger.chain.ChainLog;
import io.rigmesh.ledger.follow.EventSource;
import io.rigmesh.ledger.follow.LogPattern;
import io.rigmesh.ledger.generated.PaymentChannels;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.TokenAmount;
import java.util.List;
import org.web3j.abi.EventEncoder;

/// What comes into an account's balance in PaymentChannels and leaves it.
record BalanceEvents(Address contract, Address account) implements EventSource<BalanceMove> {
  private static final Hash DEPOSITED =
      Hash.fromHex(EventEncoder.encode(PaymentChannels.DEPOSITED_EVENT));
  private static final Hash WITHDRAWN =
      Hash.fromHex(EventEncoder.encode(PaymentChannels.WITHDRAWN_EVENT));

  @Override
  public String name() {
    return "balances";
  }

  @Override
  public List<LogPattern> patterns() {
    return List.of(LogPattern.of(List.of(DEPOSITED, WITHDRAWN), 1, List.of(account)));
  }

  @Override
  public BalanceMove event(ChainLog log) {
    if (log.isOf(DEPOSITED)) {
      PaymentChannels.DepositedEventResponse raw =
          PaymentChannels.getDepositedEventFromLog(log.web3j());
      return new BalanceMove(
          log.place(),
          Address.fromHex(raw.account),
          Address.fromHex(raw.token),
          true,
          new TokenAmount(raw.amount),
          Address.fromHex(raw.account));
    }
    PaymentChannels.WithdrawnEventResponse raw =
        PaymentChannels.getWithdrawnEventFromLog(log.web3j());
    return new BalanceMove(
        log.place(),
        Address.fromHex(raw.account),
        Address.fromHex(raw.token),
        false,
        new TokenAmount(raw.amount),
        Address.fromHex(raw.to));
  }
}

package io.rigmesh.ledger.escrow;

import io.rigmesh.ledger.chain.ChainLog;
import io.rigmesh.ledger.follow.EventSource;
import io.rigmesh.ledger.follow.LogPattern;
import io.rigmesh.ledger.generated.DevToken;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.TokenAmount;
import java.util.List;
import org.web3j.abi.EventEncoder;

/// The transfers of an ERC-20 token from and to some accounts.
public final class TokenEvents implements EventSource<TokenTransfer> {
  private static final Hash TRANSFER = Hash.fromHex(EventEncoder.encode(DevToken.TRANSFER_EVENT));

  private final Address token;
  private final List<Address> accounts;

  /// The transfers of the token at an address from or to any of the accounts.
  public TokenEvents(Address token, List<Address> accounts) {
    this.token = token;
    this.accounts = List.copyOf(accounts);
  }

  @Override
  public String name() {
    return "token";
  }

  @Override
  public Address contract() {
    return token;
  }

  @Override
  public List<LogPattern> patterns() {
    List<Hash> kinds = List.of(TRANSFER);
    return List.of(LogPattern.of(kinds, 1, accounts), LogPattern.of(kinds, 2, accounts));
  }

  @Override
  public TokenTransfer event(ChainLog log) {
    DevToken.TransferEventResponse raw = DevToken.getTransferEventFromLog(log.web3j());
    return new TokenTransfer(
        log.place(),
        Address.fromHex(raw.from),
        Address.fromHex(raw.to),
        new TokenAmount(raw.value));
  }
}

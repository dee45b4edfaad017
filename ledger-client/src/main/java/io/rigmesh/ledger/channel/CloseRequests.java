package io.rigmesh.ledger.channel;

import io.rigmesh.ledger.chain.ChainLog;
import io.rigmesh.ledger.chain.ChainRpc;
import io.rigmesh.ledger.generated.PaymentChannels;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.web3j.abi.EventEncoder;

/// Finds out which channels were asked to close: one question to the chain, however many channels
/// there are.
public final class CloseRequests {
  private static final Hash CLOSE_REQUESTED =
      Hash.fromHex(EventEncoder.encode(PaymentChannels.CLOSEREQUESTED_EVENT));

  /// Endpoints answer a question about so many topics.
  private static final int CHANNELS_PER_QUERY = 100;

  private final Supplier<ChainRpc> chain;
  private final Address contract;
  private final int confirmations;

  /// The requests at a contract.
  ///
  /// @param chain gives the chain, or throws [io.rigmesh.ledger.ChainUnavailableException]
  /// @param contract PaymentChannels
  /// @param confirmations how many blocks must hold a request before it is told of
  public CloseRequests(Supplier<ChainRpc> chain, Address contract, int confirmations) {
    this.chain = chain;
    this.contract = contract;
    this.confirmations = confirmations;
  }

  /// The newest block that is deep enough.
  ///
  /// @throws io.rigmesh.ledger.ChainUnavailableException if the chain does not answer
  long newest() {
    return Math.max(0, chain.get().head().number() - confirmations + 1);
  }

  /// Those of some channels that were asked to close in a range of blocks, both ends included.
  ///
  /// @throws io.rigmesh.ledger.LedgerException if the chain does not answer, or changed meanwhile
  Set<Hash> find(List<Hash> channels, long from, long to) {
    ChainRpc rpc = chain.get();
    Set<Hash> found = new HashSet<>();
    for (int i = 0; i < channels.size(); i += CHANNELS_PER_QUERY) {
      List<Hash> part = channels.subList(i, Math.min(channels.size(), i + CHANNELS_PER_QUERY));
      List<List<Hash>> topics = List.of(List.of(CLOSE_REQUESTED), part);
      for (ChainLog log : rpc.logs(contract, from, to, topics, rpc::block)) {
        found.add(log.topics().get(1));
      }
    }
    return found;
  }
}

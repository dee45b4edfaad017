package io.rigmesh.node.stake;

import io.rigmesh.ledger.Rounds;
import io.rigmesh.ledger.chain.Inclusion;
import io.rigmesh.ledger.escrow.PeerBinding;
import io.rigmesh.ledger.escrow.RegistryClient;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.identity.PrivateKey;
import io.rigmesh.node.Service;
import io.rigmesh.node.chain.ChainLink;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.TokenAmount;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Binds this node's peer to its account once the account has a stake, so that whoever reads its
/// offers knows whose stake stands behind the peer.
public final class PeerStake implements Service {
  private static final Logger LOG = LoggerFactory.getLogger(PeerStake.class);
  private static final Duration LOOK_EVERY = Duration.ofSeconds(30);
  private static final Rounds.Words WORDS =
      new Rounds.Words(
          "this node's peer is not bound to its account yet, trying again",
          "binding this node's peer goes on");

  private final ChainLink chain;
  private final Address account;
  private final PrivateKey peerKey;
  private @Nullable Rounds rounds;
  private volatile boolean bound;

  /// The binding of a node.
  public PeerStake(ChainLink chain, Address account, PrivateKey peerKey) {
    this.chain = chain;
    this.account = account;
    this.peerKey = peerKey;
  }

  @Override
  public String name() {
    return "peer-stake";
  }

  @Override
  public void start() {
    Rounds made = Rounds.of("peer-stake", LOOK_EVERY, WORDS, this::look);
    rounds = made;
    made.start();
    made.wake();
    // The chain may be reached, and the stake be there, at any block.
    chain.onHead(() -> {
      if (!bound) {
        made.wake();
      }
    });
  }

  @Override
  public void stop() {
    Rounds running = rounds;
    if (running != null) {
      running.close();
    }
  }

  private void look() {
    if (bound || chain.trouble().isPresent()) {
      return;
    }
    RegistryClient registry = chain.require().registry();
    if (registry.stakeOf(account).bonded().equals(TokenAmount.ZERO)) {
      return;
    }
    PeerId peer = PeerId.of(peerKey.publicKey());
    byte[] text =
        PeerBinding.text(chain.contracts().chainId(), chain.contracts().registry(), account);
    Optional<Inclusion> sent = registry.bindPeer(new PeerBinding(peer.bytes(), peerKey.sign(text)));
    bound = true;
    sent.ifPresent(inclusion ->
        LOG.info(
            "the peer {} is bound to {} in block {}, for {} gas",
            peer,
            account,
            inclusion.blockNumber(),
            inclusion.gasUsed()));
  }
}

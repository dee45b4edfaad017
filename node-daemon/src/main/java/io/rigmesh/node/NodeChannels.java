package io.rigmesh.node;

import io.rigmesh.ledger.ChainUnavailableException;
import io.rigmesh.ledger.TransactionPendingException;
import io.rigmesh.ledger.channel.Channel;
import io.rigmesh.ledger.channel.PayeeBook;
import io.rigmesh.ledger.channel.PayeeChannel;
import io.rigmesh.ledger.channel.PayerBook;
import io.rigmesh.ledger.channel.PayerChannel;
import io.rigmesh.node.jobs.JobRole;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.TokenAmount;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The channels of both of a node's books as people see them; needs no network.
final class NodeChannels {
  private static final Logger LOG = LoggerFactory.getLogger(NodeChannels.class);

  private final PayeeBook earned;
  private final PayerBook promised;

  NodeChannels(PayeeBook earned, PayerBook promised) {
    this.earned = earned;
    this.promised = promised;
  }

  List<ChannelView> list() {
    List<ChannelView> views = new ArrayList<>();
    promised.channels().forEach(channel -> views.add(view(channel)));
    earned.channels().forEach(channel -> views.add(view(channel)));
    return views;
  }

  /// The channel of an id that this node pays by.
  Optional<ChannelView> paying(Hash channel) {
    return list().stream()
        .filter(view -> view.role() == JobRole.REQUESTER && view.id().equals(channel))
        .findFirst();
  }

  /// Asks for what is left of a channel back. What is not asked on the chain now is asked later.
  ///
  /// @throws io.rigmesh.ledger.channel.ChannelException if it is closed or in use
  void leave(Hash channel) {
    try {
      promised.leaveIdle(channel);
    } catch (ChainUnavailableException | TransactionPendingException e) {
      LOG.info("the channel {} is left when the chain is back: {}", channel, e.getMessage());
    }
  }

  private static ChannelView view(PayerChannel paying) {
    Channel channel = paying.channel();
    return new ChannelView(
        channel.terms().id(),
        JobRole.REQUESTER,
        channel.terms().payee(),
        state(channel, paying.state().name().toLowerCase(Locale.ROOT)),
        channel.deposit(),
        channel.redeemed(),
        paying.spent(),
        paying.held(),
        TokenAmount.ZERO,
        channel.closesAt(),
        paying.note());
  }

  private static ChannelView view(PayeeChannel paid) {
    Channel channel = paid.channel();
    TokenAmount unpaid =
        paid.owed().compareTo(paid.promised()) > 0
            ? paid.owed().minus(paid.promised())
            : TokenAmount.ZERO;
    return new ChannelView(
        channel.terms().id(),
        JobRole.PROVIDER,
        channel.terms().payer(),
        state(channel, "open"),
        channel.deposit(),
        channel.redeemed(),
        paid.promised(),
        paid.mayCost(),
        unpaid,
        channel.closesAt(),
        "");
  }

  private static String state(Channel channel, String otherwise) {
    if (channel.closed()) {
      return "closed";
    }
    return channel.closesAt().isPresent() ? "closing" : otherwise;
  }
}

package io.rigmesh.ledger.channel;

import io.rigmesh.ledger.chain.ChainHead;
import io.rigmesh.ledger.follow.EventListener;
import java.util.Optional;
import org.jdbi.v3.core.Handle;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Carries what the chain says about channels into the books of one database: a channel that
/// something happened to is looked at again before it is relied on. The books' numbers themselves
/// come from the chain's state and not from events, so an event that comes twice, or is taken back,
/// cannot make them wrong.
public final class ChannelNews implements EventListener<ChannelEvent> {
  private static final Logger LOG = LoggerFactory.getLogger(ChannelNews.class);

  private final Optional<PayerBook> payer;
  private final Runnable wake;
  private volatile boolean something = true;

  /// News for the books of a database.
  ///
  /// @param payer is shown channels of its account that it does not know; empty where there is none
  /// @param wake is called when there is news, as [Redemption#wake]
  public ChannelNews(Optional<PayerBook> payer, Runnable wake) {
    this.payer = payer;
    this.wake = wake;
  }

  @Override
  public void happened(Handle transaction, ChannelEvent event) {
    if (event instanceof ChannelEvent.Opened opened) {
      payer.ifPresent(book -> book.found(transaction, opened.terms()));
    }
    if (event instanceof ChannelEvent.ClaimRefused refused) {
      LOG.warn(
          "a voucher of the channel {} was handed in and refused: {}",
          refused.channel(),
          refused.reason());
    }
    ChannelStore.news(transaction, event.channel(), event.place().blockNumber());
    something = true;
  }

  @Override
  public void takenBack(Handle transaction, ChannelEvent event) {
    ChannelStore.takenBack(transaction, event.channel());
    something = true;
  }

  @Override
  public void forgotten(Handle transaction) {
    ChannelStore.forgotten(transaction);
    something = true;
  }

  @Override
  public void reached(ChainHead block) {
    // A block in which nothing happened to a channel is none to look at them for.
    if (something) {
      something = false;
      wake.run();
    }
  }
}

package io.rigmesh.ledger.channel;

import io.rigmesh.ledger.ChainUnavailableException;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Refusal;
import io.rigmesh.protocol.RefusalCode;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.protocol.Voucher;
import java.math.BigInteger;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;

/// What a provider has been promised and what its jobs have earned. It says whether a channel
/// covers a job before work begins, counts what jobs owe, checks vouchers, and writes each down
/// before it counts.
///
/// Debt and payment are counted by channel, owed by all of its jobs against the highest voucher, so
/// vouchers of several streams may come in any order, twice, or not at all where a later one comes.
/// Safe for use by several threads.
public final class PayeeBook {
  private final ChannelStore store;
  private final PartStore parts;
  private final PayeeDebts debts;
  private final PayeeReceipts receipts = new PayeeReceipts();
  private final VoucherCheck check;
  private final ChannelContract contract;
  private final Domain domain;
  private final Address payee;
  private final Address token;
  private final Clock clock;

  /// The book of a payee's channels in one token, which takes vouchers of keys only.
  public PayeeBook(Jdbi jdbi, ChannelContract contract, Address payee, Address token, Clock clock) {
    this(jdbi, contract, payee, token, PayeeSettings.standard(), clock);
  }

  /// The book of a payee's channels in one token.
  public PayeeBook(
      Jdbi jdbi,
      ChannelContract contract,
      Address payee,
      Address token,
      PayeeSettings settings,
      Clock clock) {
    this.domain = contract.domain();
    this.store = new ChannelStore(jdbi, domain, payee, ChannelStore.Role.PAYEE);
    this.parts = new PartStore(store);
    this.debts = new PayeeDebts(store, parts);
    this.check = new VoucherCheck(contract, new ChannelLook(store, contract), settings);
    this.contract = contract;
    this.payee = payee;
    this.token = token;
    this.clock = clock;
  }

  /// A refusal where a requester means another chain or contract than this book.
  public Optional<Refusal> sameMoney(Domain theirs) {
    if (theirs.chainId() != domain.chainId()) {
      return Optional.of(
          new Refusal(
              RefusalCode.WRONG_CHAIN,
              "This provider is paid on the chain %d and not on %d; use a channel there."
                  .formatted(domain.chainId(), theirs.chainId())));
    }
    if (!theirs.verifyingContract().equals(domain.verifyingContract())) {
      return Optional.of(
          new Refusal(
              RefusalCode.WRONG_CHAIN,
              "This provider is paid through the contract %s and not through %s; compare the deployment files."
                  .formatted(domain.verifyingContract(), theirs.verifyingContract())));
    }
    return Optional.empty();
  }

  /// Says whether a channel covers a job, and if so holds that room for it. The chain is asked. A
  /// job that was admitted already is found, with its new price limit.
  ///
  /// @param until when the room is free again by itself
  public Admission admit(ChannelTerms terms, Hash job, TokenAmount priceMax, Instant until) {
    if (!terms.payee().equals(payee)) {
      return refused(
          "The channel %s pays %s, and this provider's account is %s."
              .formatted(terms.id(), terms.payee(), payee));
    }
    if (!terms.token().equals(token)) {
      return refused(
          "The channel %s holds the token %s, and this provider is paid in %s."
              .formatted(terms.id(), terms.token(), token));
    }
    long news = store.find(terms.id()).map(ChannelRow::news).orElse(1L);
    ChannelContract.Reading reading;
    try {
      reading = contract.read(terms);
      Optional<Refusal> signer = check.refuseSigner(terms);
      if (signer.isPresent()) {
        return new Admission.Refused(signer.get());
      }
    } catch (ChainUnavailableException e) {
      return new Admission.Refused(
          new Refusal(
              RefusalCode.UNAVAILABLE,
              "This provider's chain is away, so no channel can be looked at; try again later."));
    }
    return store.transaction(handle -> admit(handle, terms, job, priceMax, until, reading, news));
  }

  /// Sets what a job owes in all so far. Cheap: it is written down with the next voucher, or when
  /// the job ends.
  ///
  /// @throws ChannelException if the job is not admitted
  public void owe(Hash job, TokenAmount priceSoFar) {
    debts.owe(job, priceSoFar);
  }

  /// What a job owes in all so far, also after a restart, as far as that was written down.
  public TokenAmount owed(Hash job) {
    return debts.owed(job);
  }

  /// Takes a payment, in any order.
  public Taking take(Payment payment) {
    Voucher voucher = payment.voucher().voucher();
    Optional<ChannelRow> known = store.find(voucher.channel());
    if (known.isEmpty()) {
      return new Taking.Refused(
          "No job that the channel %s pays was admitted here.".formatted(voucher.channel()));
    }
    VoucherCheck.Signer signer;
    try {
      signer = check.signer(known.get(), payment.voucher());
    } catch (ChainUnavailableException e) {
      return new Taking.Refused(
          "The chain is away, so the contract %s cannot be asked whether it signed the voucher over %s; send it again later."
              .formatted(known.get().terms().signer(), voucher.amount()));
    }
    if (signer == VoucherCheck.Signer.NOBODY) {
      return new Taking.Refused(check.unsigned(known.get(), payment.voucher()));
    }
    Optional<String> worthless = check.worthless(known.get(), voucher.amount());
    if (worthless.isPresent()) {
      return new Taking.Refused(worthless.get());
    }
    return receipts.alone(
        voucher.channel(),
        () ->
            store.transaction(
                handle -> take(handle, payment, signer == VoucherCheck.Signer.CONTRACT)));
  }

  /// What a channel's jobs owe above its highest voucher.
  public TokenAmount unpaid(Hash channel) {
    return store.transaction(handle ->
        store.find(handle, channel).map(row -> debts.unpaid(handle, row)).orElse(TokenAmount.ZERO));
  }

  /// Ends a job: it costs no more than it owes now, and the rest of its room is free. What it owes
  /// stays owed by its channel. A job that ended and is admitted again goes on where it was.
  public void end(Hash job) {
    store.transaction(handle -> {
      for (Hash channel : parts.channelsOf(handle, job)) {
        ChannelRow row = store.get(handle, channel);
        Part part = parts.find(handle, row.id(), job).orElseThrow();
        if (!part.ended()) {
          TokenAmount owes = debts.owes(part);
          store.setOwedEnded(handle, row.id(), row.owedEnded().plus(owes));
          parts.put(handle, row.id(), new Part(job, part.most(), owes, part.until(), true));
        }
      }
      return true;
    });
    debts.forget(job);
  }

  /// All channels of this book.
  public List<PayeeChannel> channels() {
    Instant now = clock.instant();
    return store.reading(handle ->
        store.channels(handle).stream()
            .map(row ->
                new PayeeChannel(
                    row.channel(),
                    row.promised(),
                    debts.owed(handle, row),
                    debts.mayCost(handle, row, now)))
            .toList());
  }

  /// The store, for handing vouchers in.
  ChannelStore store() {
    return store;
  }

  private Admission admit(
      Handle handle,
      ChannelTerms terms,
      Hash job,
      TokenAmount priceMax,
      Instant until,
      ChannelContract.Reading reading,
      long news) {
    Optional<ChannelRow> known = store.find(handle, terms.id());
    if (known.isPresent()) {
      store.read(handle, known.get().id(), reading, news);
    } else if (reading.channel().isPresent()) {
      store.add(
          handle,
          terms,
          PayerChannel.State.OPEN,
          Optional.empty(),
          // What was redeemed before this book knew the channel was owed before, too.
          reading.channel().get().redeemed());
      store.read(handle, store.get(handle, terms.id()).id(), reading, news);
    }
    Optional<ChannelRow> found = store.find(handle, terms.id());
    if (found.isEmpty() || found.get().channel().deposit().equals(TokenAmount.ZERO)) {
      return refused(
          "There is no channel %s at %s on the chain %d, or it is not deep enough yet; open it, or wait for more blocks."
              .formatted(terms.id(), domain.verifyingContract(), domain.chainId()));
    }
    ChannelRow row = found.get();
    Channel channel = row.channel();
    if (channel.closed()) {
      return refused("The channel %s is closed; open another.".formatted(terms.id()));
    }
    if (channel.closesAt().isPresent()) {
      return refused(
          "The channel %s is being closed, from %s on; open another."
              .formatted(terms.id(), channel.closesAt().get()));
    }
    for (Hash other : parts.channelsOf(handle, job)) {
      boolean pays =
          parts
              .find(handle, store.get(handle, other).id(), job)
              .filter(part -> !part.ended() || debts.owes(part).compareTo(TokenAmount.ZERO) > 0)
              .isPresent();
      if (pays && !other.equals(terms.id())) {
        return refused("The job %s is paid by the channel %s already.".formatted(job, other));
      }
    }
    Instant now = clock.instant();
    parts.forgetOld(handle, row.id(), now);
    TokenAmount own = TokenAmount.ZERO;
    TokenAmount others = TokenAmount.ZERO;
    TokenAmount ended = row.owedEnded();
    Optional<Part> before = parts.find(handle, row.id(), job);
    if (before.isPresent()) {
      own = debts.owes(before.get());
      ended = before.get().ended() ? ended.minus(own) : ended;
    }
    for (Part part : parts.running(handle, row.id())) {
      if (!part.job().equals(job)) {
        others = others.plus(debts.owes(part)).plus(debts.left(part, now));
      }
    }
    TokenAmount mayCost = own.compareTo(priceMax) > 0 ? own : priceMax;
    TokenAmount bound = ended.plus(others);
    // A price limit is what a stranger wrote, up to the last bit.
    BigInteger missing = bound.units().add(mayCost.units()).subtract(channel.deposit().units());
    if (missing.signum() > 0) {
      return refused(
          "The channel %s holds %s, of which %s are owed or may be owed by other jobs already; this one may cost %s, so top it up by %s."
              .formatted(terms.id(), channel.deposit(), bound, mayCost, missing));
    }
    store.setOwedEnded(handle, row.id(), ended);
    parts.put(handle, row.id(), new Part(job, mayCost, own, until, false));
    debts.begin(job, own);
    return new Admission.Admitted(channel, debts.unpaid(handle, store.get(handle, terms.id())));
  }

  private Taking take(Handle handle, Payment payment, boolean byContract) {
    Voucher voucher = payment.voucher().voucher();
    ChannelRow row = store.get(handle, voucher.channel());
    Optional<String> contradiction = receipts.note(handle, row, payment);
    if (contradiction.isPresent()) {
      return new Taking.Refused(contradiction.get());
    }
    // Now is the time to write down what its jobs owe, too.
    debts.store(handle, row);
    TokenAmount before = row.spent();
    if (voucher.amount().compareTo(row.promised()) > 0) {
      store.setNewest(handle, row.id(), payment.voucher(), byContract);
    }
    return voucher.amount().compareTo(before) > 0
        ? new Taking.Taken(voucher.amount().minus(before), voucher.amount())
        : new Taking.Taken(TokenAmount.ZERO, before);
  }

  private static Admission refused(String sentence) {
    return new Admission.Refused(new Refusal(RefusalCode.NOT_FUNDED, sentence));
  }
}

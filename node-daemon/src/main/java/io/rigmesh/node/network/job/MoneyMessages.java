package io.rigmesh.node.network.job;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.rigmesh.ledger.channel.Payment;
import io.rigmesh.ledger.channel.Taking;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.multiformats.ProtobufBounds;
import io.rigmesh.node.pay.Due;
import io.rigmesh.node.pay.Market;
import io.rigmesh.node.pay.Tariff;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.MalformedException;
import io.rigmesh.protocol.Meter;
import io.rigmesh.protocol.Signature;
import io.rigmesh.protocol.SignedVoucher;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.protocol.Voucher;
import io.rigmesh.protocol.WalletSignature;
import io.rigmesh.protocol.wire.JobWire;
import io.rigmesh.scheduler.pricing.Pricing;
import java.util.Optional;

/// What `/rigmesh/job/1.0.0` says about money, in this node's words and back.
final class MoneyMessages {
  private static final int RECEIPTS_MAX = Payment.RECEIPTS_MAX;

  static final int SAY_BYTES_MAX = 8 << 10;

  private static final ProtobufBounds BOUNDS = ProtobufBounds.fields(RECEIPTS_MAX + 16);

  private MoneyMessages() {}

  static JobWire.Market write(Market market) {
    return JobWire.Market.newBuilder()
        .setChainId(market.chainId())
        .setEscrow(bytes(market.escrow()))
        .setChannels(bytes(market.channels()))
        .build();
  }

  /// @throws MalformedException if an address is none
  static Market market(JobWire.Market wire) {
    return new Market(wire.getChainId(), address(wire.getEscrow()), address(wire.getChannels()));
  }

  static JobWire.Channel write(ChannelTerms terms) {
    return JobWire.Channel.newBuilder()
        .setPayer(bytes(terms.payer()))
        .setSigner(bytes(terms.signer()))
        .setPayee(bytes(terms.payee()))
        .setToken(bytes(terms.token()))
        .setSalt(terms.salt())
        .build();
  }

  /// @throws MalformedException if an address is none
  static ChannelTerms channel(JobWire.Channel wire) {
    return new ChannelTerms(
        address(wire.getPayer()),
        address(wire.getSigner()),
        address(wire.getPayee()),
        address(wire.getToken()),
        wire.getSalt());
  }

  static JobWire.Say write(Payment payment) {
    Voucher voucher = payment.voucher().voucher();
    JobWire.Pay.Builder pay =
        JobWire.Pay.newBuilder()
            .setChannel(bytes(voucher.channel()))
            .setAmount(voucher.amount().toString())
            .setReceiptsRoot(bytes(voucher.receiptsRoot()))
            .setSignature(ByteString.copyFrom(payment.voucher().signature().bytes()))
            .setReceiptsBefore(payment.receiptsBefore());
    payment.receipts().forEach(receipt -> pay.addReceipts(bytes(receipt)));
    return JobWire.Say.newBuilder().setPay(pay).build();
  }

  /// What a requester says on a job's stream.
  sealed interface Said {
    /// It pays.
    record Pay(Payment payment) implements Said {}

    /// A milestone may be paid.
    record Approve(int milestone, Signature signature) implements Said {}

    /// Something that only a newer version knows.
    record Else() implements Said {}
  }

  /// What a requester says.
  ///
  /// @throws PeerMisbehaviourException if it is not of the protocol's form
  static Said said(byte[] bytes) {
    try {
      JobWire.Say say = JobWire.Say.parseFrom(BOUNDS.check(JobProtocol.ID.name(), bytes));
      return switch (say.getWhatCase()) {
        case PAY -> new Said.Pay(payment(say.getPay()));
        case APPROVE ->
            new Said.Approve(
                say.getApprove().getMilestone(),
                Signature.of(say.getApprove().getSignature().toByteArray()));
        case WHAT_NOT_SET -> new Said.Else();
      };
    } catch (InvalidProtocolBufferException | MalformedException e) {
      throw JobProtocol.malformed("what a requester says", e);
    }
  }

  private static Payment payment(JobWire.Pay pay) {
    if (pay.getReceiptsCount() > RECEIPTS_MAX || pay.getReceiptsBefore() < 0) {
      throw new MalformedException(
          "a payment names at most " + RECEIPTS_MAX + " receipts, counted upwards from 0");
    }
    Voucher voucher =
        new Voucher(
            JobProtocol.hash(pay.getChannel()),
            TokenAmount.parse(pay.getAmount()),
            JobProtocol.hash(pay.getReceiptsRoot()));
    return new Payment(
        new SignedVoucher(voucher, WalletSignature.of(pay.getSignature().toByteArray())),
        pay.getReceiptsBefore(),
        pay.getReceiptsList().stream().map(JobProtocol::hash).toList());
  }

  /// An approval for the provider, which knows the rest of what is signed.
  static JobWire.Say approve(int milestone, Signature signature) {
    return JobWire.Say.newBuilder()
        .setApprove(
            JobWire.Approve.newBuilder()
                .setMilestone(milestone)
                .setSignature(ByteString.copyFrom(signature.bytes())))
        .build();
  }

  static JobWire.Reply approved(int milestone, Optional<String> refusal) {
    JobWire.Approved.Builder approved = JobWire.Approved.newBuilder().setMilestone(milestone);
    refusal.ifPresent(approved::setRefusal);
    return JobWire.Reply.newBuilder().setApproved(approved).build();
  }

  static JobFeed.Next.Approved approved(JobWire.Approved wire) {
    return new JobFeed.Next.Approved(
        wire.getMilestone(),
        Optional.of(wire.getRefusal()).filter(sentence -> !sentence.isEmpty()));
  }

  /// @throws PeerMisbehaviourException if it is no signature
  static Signature acceptance(ByteString bytes) {
    try {
      return Signature.of(bytes.toByteArray());
    } catch (MalformedException e) {
      throw JobProtocol.malformed("an acceptance", e);
    }
  }

  static JobWire.Tariff write(Tariff tariff) {
    return JobWire.Tariff.newBuilder()
        .setPerMillionIn(tariff.rate().perMillionIn().toString())
        .setPerMillionOut(tariff.rate().perMillionOut().toString())
        .setMinimum(tariff.minimum().toString())
        .setCreditLimit(tariff.creditLimit().toString())
        .build();
  }

  /// @throws PeerMisbehaviourException if an amount is none
  static Tariff tariff(JobWire.Tariff wire) {
    try {
      return new Tariff(
          new Pricing.Rate(
              TokenAmount.parse(wire.getPerMillionIn()),
              TokenAmount.parse(wire.getPerMillionOut())),
          TokenAmount.parse(wire.getMinimum()),
          TokenAmount.parse(wire.getCreditLimit()));
    } catch (MalformedException e) {
      throw JobProtocol.malformed("a tariff", e);
    }
  }

  static JobWire.Reply write(Due due) {
    return JobWire.Reply.newBuilder()
        .setDue(
            JobWire.Due.newBuilder()
                .setTokensIn(due.meter().tokensIn())
                .setTokensOut(due.meter().tokensOut())
                .setSteps(due.meter().steps())
                .setAmount(due.amount().toString()))
        .build();
  }

  /// @throws PeerMisbehaviourException if a number is none
  static Due due(JobWire.Due wire) {
    try {
      return new Due(
          new Meter(wire.getTokensIn(), wire.getTokensOut(), wire.getSteps()),
          TokenAmount.parse(wire.getAmount()));
    } catch (MalformedException e) {
      throw JobProtocol.malformed("what is due", e);
    }
  }

  static JobWire.Reply write(Taking taking) {
    JobWire.Paid.Builder paid = JobWire.Paid.newBuilder().setTotal("0");
    switch (taking) {
      case Taking.Taken(_, TokenAmount total) -> paid.setTotal(total.toString());
      case Taking.Refused(String sentence) -> paid.setRefusal(sentence);
    }
    return JobWire.Reply.newBuilder().setPaid(paid).build();
  }

  /// @throws PeerMisbehaviourException if the amount is none
  static JobFeed.Next.Paid paid(JobWire.Paid wire) {
    try {
      return new JobFeed.Next.Paid(
          TokenAmount.parse(wire.getTotal()),
          Optional.of(wire.getRefusal()).filter(sentence -> !sentence.isEmpty()));
    } catch (MalformedException e) {
      throw JobProtocol.malformed("an answer to a payment", e);
    }
  }

  private static ByteString bytes(Hash hash) {
    return ByteString.copyFrom(hash.bytes());
  }

  private static ByteString bytes(Address address) {
    return ByteString.copyFrom(address.bytes());
  }

  private static Address address(ByteString bytes) {
    return Address.of(bytes.toByteArray());
  }
}

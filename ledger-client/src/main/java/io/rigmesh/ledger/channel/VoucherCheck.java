package io.rigmesh.ledger.channel;

import io.rigmesh.ledger.ChainUnavailableException;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.MalformedException;
import io.rigmesh.protocol.Refusal;
import io.rigmesh.protocol.RefusalCode;
import io.rigmesh.protocol.SignedVoucher;
import io.rigmesh.protocol.TokenAmount;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// Says whether a voucher could be redeemed: signed by whom it must be, and covered by its channel.
/// Safe for use by several threads.
final class VoucherCheck {
  /// Signers that are remembered to be keys or contracts.
  private static final int SIGNERS_KEPT = 10_000;

  private final ChannelContract contract;
  private final ChannelLook look;
  private final PayeeSettings settings;
  private final Domain domain;

  /// An address that has a contract keeps it, and one that has none may get one; that costs its
  /// channel's payer more than it could gain.
  private final Map<Address, Boolean> contracts =
      Collections.synchronizedMap(
          new LinkedHashMap<>() {
            private static final long serialVersionUID = 1L;

            @Override
            protected boolean removeEldestEntry(Map.Entry<Address, Boolean> eldest) {
              return size() > SIGNERS_KEPT;
            }
          });

  VoucherCheck(ChannelContract contract, ChannelLook look, PayeeSettings settings) {
    this.contract = contract;
    this.look = look;
    this.settings = settings;
    this.domain = contract.domain();
  }

  /// How a voucher is signed, as it must be.
  enum Signer {
    /// By the signer's key.
    KEY,
    /// As the signer's contract takes it.
    CONTRACT,
    /// In no way that counts.
    NOBODY
  }

  /// A refusal where vouchers of a channel's signer are not taken here, before any work is done for
  /// them.
  ///
  /// @throws ChainUnavailableException if the chain does not answer
  Optional<Refusal> refuseSigner(ChannelTerms terms) {
    if (settings.contractSigners() || !isContract(terms.signer())) {
      return Optional.empty();
    }
    return Optional.of(
        new Refusal(
            RefusalCode.NOT_FUNDED,
            "The vouchers of the channel %s are signed by the contract %s, and this provider takes those of keys only; let a session key of the payer sign them."
                .formatted(terms.id(), terms.signer())));
  }

  /// Who signed a voucher of a channel. The chain is asked only about one that no key signed and
  /// that is not the newest already.
  ///
  /// @throws ChainUnavailableException if the chain does not answer
  Signer signer(ChannelRow row, SignedVoucher voucher) {
    Address signer = row.terms().signer();
    if (voucher.isSignedBy(signer, domain)) {
      return Signer.KEY;
    }
    if (!settings.contractSigners()) {
      return Signer.NOBODY;
    }
    boolean known = row.byContract() && row.newest().map(voucher::equals).orElse(false);
    return known
            || contract.takes(
                signer, voucher.voucher().typedData().digest(domain), voucher.signature())
        ? Signer.CONTRACT
        : Signer.NOBODY;
  }

  /// What is said of a voucher that nobody signed.
  String unsigned(ChannelRow row, SignedVoucher voucher) {
    return "The voucher over %s is not signed by the signer %s of the channel %s for the chain %d and the contract %s: %s."
        .formatted(
            voucher.voucher().amount(),
            row.terms().signer(),
            row.channelId(),
            domain.chainId(),
            domain.verifyingContract(),
            signedBy(voucher));
  }

  /// Why a voucher of this amount could not be redeemed. The chain is asked only where what is
  /// known does not cover it; where it is away then, the voucher is taken at its word no further
  /// than the deposit that is known.
  Optional<String> worthless(ChannelRow row, TokenAmount amount) {
    boolean covered = amount.compareTo(row.channel().deposit()) <= 0;
    ChannelRow known =
        row.stale() || !covered || row.channel().closed() ? look.refreshIfPossible(row) : row;
    if (known.channel().closed()) {
      return Optional.of(
          "The channel %s is closed, so its vouchers are worth nothing; open another."
              .formatted(known.channelId()));
    }
    if (amount.compareTo(known.channel().deposit()) > 0) {
      return Optional.of(
          "The voucher promises %s, and the channel %s holds %s; top it up first."
              .formatted(amount, known.channelId(), known.channel().deposit()));
    }
    return Optional.empty();
  }

  private boolean isContract(Address signer) {
    Boolean known = contracts.get(signer);
    if (known == null) {
      known = contract.isContract(signer);
      contracts.put(signer, known);
    }
    return known;
  }

  private String signedBy(SignedVoucher voucher) {
    try {
      return "by " + voucher.signer(domain) + ", as far as can be told";
    } catch (MalformedException e) {
      return "it fits no public key";
    }
  }
}

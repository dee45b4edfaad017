package io.rigmesh.ledger.channel;

import io.rigmesh.ledger.chain.Call;
import io.rigmesh.ledger.chain.ChainRpc;
import io.rigmesh.ledger.escrow.ContractReads;
import io.rigmesh.ledger.escrow.Permit;
import io.rigmesh.ledger.generated.PaymentChannels;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.SessionKey;
import io.rigmesh.protocol.Signature;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.protocol.WalletSignature;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.web3j.tx.gas.DefaultGasProvider;
import org.web3j.utils.Numeric;

/// The calls of the channels' contract, encoded. Nothing is sent from here.
final class ChannelCalls {
  private static final int AMOUNT_BITS = 96;

  private final Address address;
  private final Domain domain;
  private final PaymentChannels contract;

  ChannelCalls(ChainRpc rpc, Address address) {
    this.address = address;
    this.domain = new Domain(rpc.chainId(), address);
    this.contract =
        PaymentChannels.load(
            address.hex(), rpc.web3j(), ContractReads.readOnly(rpc), new DefaultGasProvider());
  }

  /// Takes tokens that the contract may take; ether comes with the call.
  Call deposit(Address token, TokenAmount amount) {
    return Call.of(
        Optional.of(address),
        bytes(depositData(token, amount.units())),
        token.equals(Address.ZERO) ? amount.units() : BigInteger.ZERO);
  }

  /// Takes tokens by a permit.
  Call deposit(Address token, TokenAmount amount, Permit permit) {
    return call(depositData(token, amount.units(), permit));
  }

  Call withdraw(Address token, TokenAmount amount, Address to) {
    return call(contract.withdraw(token.hex(), amount.units(), to.hex()).encodeFunctionCall());
  }

  Call authorise(Address key, Address token, TokenAmount limit, Instant expiresAt) {
    return call(
        contract
            .authorise(
                key.hex(),
                token.hex(),
                units(limit),
                BigInteger.valueOf(expiresAt.getEpochSecond()))
            .encodeFunctionCall());
  }

  Call authorise(SessionKey word, WalletSignature signature) {
    return call(
        contract
            .authoriseBySignature(
                word.payer().hex(),
                word.key().hex(),
                word.token().hex(),
                units(word.limit()),
                BigInteger.valueOf(word.expiresAtSeconds()),
                signature.bytes())
            .encodeFunctionCall());
  }

  Call revoke(Address key, Address token) {
    return call(contract.revoke(key.hex(), token.hex()).encodeFunctionCall());
  }

  Call open(ChannelTerms terms, TokenAmount amount) {
    return call(contract.open(struct(terms), units(amount)).encodeFunctionCall());
  }

  Call topUp(ChannelTerms terms, TokenAmount amount) {
    return call(contract.topUp(struct(terms), units(amount)).encodeFunctionCall());
  }

  Call requestClose(ChannelTerms terms) {
    return call(contract.requestClose(struct(terms)).encodeFunctionCall());
  }

  Call close(ChannelTerms terms) {
    return call(contract.close(struct(terms)).encodeFunctionCall());
  }

  /// A deposit of tokens that the contract may take, and another call, in one transaction.
  Call depositAnd(Address token, TokenAmount amount, Call then) {
    return both(depositData(token, amount.units()), then);
  }

  /// The same with a permit.
  Call depositAnd(Address token, TokenAmount amount, Permit permit, Call then) {
    return both(depositData(token, amount.units(), permit), then);
  }

  /// Hands vouchers in. One that no key signed goes alone: the contract asks the signer's contract
  /// about it, and reverts where that does not take it.
  Call redeem(Address payee, Address token, List<ChannelContract.Claim> claims) {
    if (claims.size() == 1) {
      ChannelContract.Claim only = claims.getFirst();
      if (!only.voucher().isSignedBy(only.terms().signer(), domain)) {
        return call(
            contract
                .redeemSigned(
                    struct(only.terms()),
                    only.voucher().voucher().amount().units(),
                    only.voucher().voucher().receiptsRoot().bytes(),
                    only.voucher().signature().bytes())
                .encodeFunctionCall());
      }
    }
    return call(
        contract
            .redeem(payee.hex(), token.hex(), claims.stream().map(ChannelCalls::struct).toList())
            .encodeFunctionCall());
  }

  /// The same for sending: one voucher of a key costs some 600 gas less than a call that passes bad
  /// ones over; it reverts where it is good for nothing, which an estimation finds before anything
  /// is paid.
  Call handIn(Address payee, Address token, List<ChannelContract.Claim> claims) {
    if (claims.size() == 1) {
      ChannelContract.Claim only = claims.getFirst();
      if (only.voucher().isSignedBy(only.terms().signer(), domain)) {
        return call(
            contract.redeemOne(payee.hex(), token.hex(), struct(only)).encodeFunctionCall());
      }
    }
    return redeem(payee, token, claims);
  }

  private Call call(String data) {
    return Call.of(address, data);
  }

  private Call both(String first, Call then) {
    return call(contract.multicall(List.of(bytes(first), then.data())).encodeFunctionCall());
  }

  private static byte[] bytes(String data) {
    return Numeric.hexStringToByteArray(data);
  }

  private String depositData(Address token, BigInteger units) {
    return contract.deposit(token.hex(), units, BigInteger.ZERO).encodeFunctionCall();
  }

  private String depositData(Address token, BigInteger units, Permit permit) {
    return contract
        .depositWithPermit(
            token.hex(),
            units,
            permit.deadlineSeconds(),
            permit.v(),
            permit.signature().r(),
            permit.signature().s())
        .encodeFunctionCall();
  }

  private static BigInteger units(TokenAmount amount) {
    if (amount.units().bitLength() > AMOUNT_BITS) {
      throw new ChannelException(
          "The amount %s does not fit into a channel, which holds less than 2^96."
              .formatted(amount));
    }
    return amount.units();
  }

  private static PaymentChannels.Terms struct(ChannelTerms terms) {
    return new PaymentChannels.Terms(
        terms.payer().hex(),
        terms.signer().hex(),
        terms.payee().hex(),
        terms.token().hex(),
        new BigInteger(Long.toUnsignedString(terms.salt())));
  }

  private static PaymentChannels.Claim struct(ChannelContract.Claim claim) {
    Signature signature =
        claim
            .voucher()
            .signature()
            .ofKey()
            .orElseThrow(() ->
                new ChannelException(
                    "The newest voucher of the channel %s is no key's, and goes in alone."
                        .formatted(claim.terms().id())));
    // EIP-2098: the parity of the point goes into the highest bit of s, which is free.
    byte[] vs = signature.s();
    if (signature.v() == 28) {
      vs[0] |= (byte) 0x80;
    }
    // The payer in the upper 20 bytes and the salt in the lower 12 make one word.
    byte[] payerAndSalt = new byte[Hash.BYTES];
    System.arraycopy(claim.terms().payer().bytes(), 0, payerAndSalt, 0, Address.BYTES);
    ByteBuffer.wrap(payerAndSalt).putLong(Hash.BYTES - Long.BYTES, claim.terms().salt());
    return new PaymentChannels.Claim(
        payerAndSalt,
        claim.terms().signer().hex(),
        units(claim.voucher().voucher().amount()),
        claim.voucher().voucher().receiptsRoot().bytes(),
        signature.r(),
        vs);
  }
}

package io.rigmesh.ledger.channel;

import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.SignedVoucher;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.protocol.Voucher;
import io.rigmesh.protocol.WalletSignature;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/// What the two sides of a schedule say to each other: words with a space between them.
final class FaultWords {
  private final Iterator<String> words;

  FaultWords(String text) {
    this.words = List.of(text.split(" ")).iterator();
  }

  String word() {
    return words.next();
  }

  int number() {
    return Integer.parseInt(word());
  }

  Hash hash() {
    return Hash.fromHex(word());
  }

  Address address() {
    return Address.fromHex(word());
  }

  TokenAmount amount() {
    return new TokenAmount(new BigInteger(word()));
  }

  ChannelTerms terms() {
    return new ChannelTerms(address(), address(), address(), address(), Long.parseLong(word()));
  }

  static String of(ChannelTerms terms) {
    return String.join(
        " ",
        terms.payer().hex(),
        terms.signer().hex(),
        terms.payee().hex(),
        terms.token().hex(),
        Long.toString(terms.salt()));
  }

  Payment payment() {
    SignedVoucher voucher =
        new SignedVoucher(new Voucher(hash(), amount(), hash()), WalletSignature.fromHex(word()));
    long before = Long.parseLong(word());
    List<Hash> receipts = new ArrayList<>();
    while (words.hasNext()) {
      receipts.add(hash());
    }
    return new Payment(voucher, before, receipts);
  }

  static String of(Payment payment) {
    Voucher voucher = payment.voucher().voucher();
    List<String> words =
        new ArrayList<>(
            List.of(
                voucher.channel().hex(),
                voucher.amount().units().toString(),
                voucher.receiptsRoot().hex(),
                payment.voucher().signature().hex(),
                Long.toString(payment.receiptsBefore())));
    payment.receipts().forEach(receipt -> words.add(receipt.hex()));
    return String.join(" ", words);
  }
}

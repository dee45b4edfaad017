package io.rigmesh.node.store;

import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.ChannelTerms;

/// A channel's terms as the table of jobs keeps them.
final class ChannelText {
  private ChannelText() {}

  static String write(ChannelTerms terms) {
    return String.join(
        ",",
        terms.payer().hex(),
        terms.signer().hex(),
        terms.payee().hex(),
        terms.token().hex(),
        Long.toUnsignedString(terms.salt()));
  }

  static ChannelTerms read(String text) {
    String[] parts = text.split(",", -1);
    if (parts.length != 5) {
      throw new StoreException("The table of jobs holds a channel that is none: " + text + ".");
    }
    return new ChannelTerms(
        Address.fromHex(parts[0]),
        Address.fromHex(parts[1]),
        Address.fromHex(parts[2]),
        Address.fromHex(parts[3]),
        Long.parseUnsignedLong(parts[4]));
  }
}

package io.rigmesh.ledger.channel;

import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.MalformedException;
import io.rigmesh.protocol.SessionKey;
import io.rigmesh.protocol.Signature;
import io.rigmesh.protocol.WalletSignature;
import java.math.BigInteger;

/// Checks a payer's word about a session key before a transaction is spent on it.
public final class SignedWord {
  private SignedWord() {}

  /// Requires that the contract would take a word.
  ///
  /// @param domain the contract of channels
  /// @throws ChannelException if its number is used, or the payer has not signed it
  public static void require(
      SessionKey word, WalletSignature signature, Domain domain, ChannelReads reads) {
    BigInteger next = reads.nonce(word.payer());
    var digest = word.typedData().digest(domain);
    if (!word.nonce().equals(next)) {
      throw new ChannelException(
          "The word of %s has the number %s, and its next one at %s is %s: it was handed in already, or the payer authorised or revoked a key since. Make and sign another."
              .formatted(word.payer(), word.nonce(), domain.verifyingContract(), next));
    }
    if (!signature.isOfKey(word.payer(), digest) && !reads.takes(word.payer(), digest, signature)) {
      throw new ChannelException(
          "The payer %s has not signed this word for the chain %d and the contract %s%s; sign exactly the document that was printed, with the payer's key."
              .formatted(
                  word.payer(),
                  domain.chainId(),
                  domain.verifyingContract(),
                  signature.ofKey().map(key -> ", " + whose(key, word, domain)).orElse("")));
    }
  }

  private static String whose(Signature key, SessionKey word, Domain domain) {
    try {
      return "as far as can be told " + key.signer(word.typedData().digest(domain)) + " has";
    } catch (MalformedException e) {
      return "nobody has";
    }
  }
}

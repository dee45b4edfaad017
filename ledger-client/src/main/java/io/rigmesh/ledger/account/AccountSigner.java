package io.rigmesh.ledger.account;

import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Digests;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Signature;
import io.rigmesh.protocol.TypedData;
import org.web3j.crypto.RawTransaction;
import org.web3j.crypto.TransactionEncoder;

/// Whoever signs for an account: a key in memory, or a remote signer that holds it. Must be safe
/// for use by several threads. Every method throws [SignerException] where the signer is away or
/// refuses.
public interface AccountSigner {
  /// The account that is signed for.
  Address address();

  /// True if it signs any digest. A remote signer shows what it signs to people or rules, so it
  /// only signs documents and transactions.
  default boolean signsDigests() {
    return true;
  }

  /// Signs a 32-byte Keccak-256 digest.
  Signature sign(Hash digest);

  /// Signs typed data (EIP-712).
  default Signature sign(TypedData data, Domain domain) {
    return sign(data.digest(domain));
  }

  /// Signs an EIP-1559 transaction.
  default Signature sign(RawTransaction transaction) {
    return sign(Digests.keccak256(TransactionEncoder.encode(transaction)));
  }

  /// A signer with its key in this process.
  static AccountSigner of(AccountKey key) {
    return new AccountSigner() {
      @Override
      public Address address() {
        return key.address();
      }

      @Override
      public Signature sign(Hash digest) {
        return key.sign(digest);
      }
    };
  }
}

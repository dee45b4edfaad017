package io.rigmesh.ledger.account;

import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Signature;

/// Whoever signs for an account: a key in memory, a remote signer, a hardware wallet. Must be safe
/// for use by several threads.
public interface AccountSigner {
  /// The account that is signed for.
  Address address();

  /// Signs a 32-byte Keccak-256 digest.
  Signature sign(Hash digest);

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

package io.rigmesh.ledger.intent;

import io.rigmesh.ledger.account.AccountSigner;
import io.rigmesh.ledger.chain.Call;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Digests;
import io.rigmesh.protocol.Signature;
import java.math.BigInteger;
import java.time.Instant;
import java.util.Optional;
import org.web3j.crypto.RawTransaction;
import org.web3j.crypto.Sign;
import org.web3j.crypto.TransactionEncoder;
import org.web3j.utils.Numeric;

/// The signed bytes of EIP-1559 transactions: encoded by web3j, signed by whoever holds the key.
final class SignedTransactions {
  private SignedTransactions() {}

  static Attempt sign(
      AccountSigner signer,
      long chainId,
      long nonce,
      Call call,
      long gasLimit,
      Fees fees,
      Instant now) {
    RawTransaction transaction =
        RawTransaction.createTransaction(
            chainId,
            BigInteger.valueOf(nonce),
            BigInteger.valueOf(gasLimit),
            call.recipient().map(Address::hex).orElse(""),
            call.valueWei(),
            call.dataHex(),
            fees.priorityFeeWei(),
            fees.maxFeeWei());
    Signature signature = signer.sign(transaction);
    byte[] raw =
        TransactionEncoder.encode(
            transaction,
            new Sign.SignatureData((byte) signature.v(), signature.r(), signature.s()));
    return new Attempt(
        Digests.keccak256(raw),
        Numeric.toHexString(raw),
        gasLimit,
        fees.maxFeeWei(),
        fees.priorityFeeWei(),
        now,
        Optional.empty());
  }
}

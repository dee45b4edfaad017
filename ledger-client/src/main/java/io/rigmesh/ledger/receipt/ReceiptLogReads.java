package io.rigmesh.ledger.receipt;

import io.rigmesh.ledger.chain.ChainRpc;
import io.rigmesh.ledger.escrow.ContractReads;
import io.rigmesh.ledger.generated.ReceiptLog;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import java.math.BigInteger;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;
import org.web3j.protocol.core.RemoteFunctionCall;
import org.web3j.tx.gas.DefaultGasProvider;

/// What a ReceiptLog says, for anybody who has an endpoint of its chain. Safe for use by several
/// threads.
public final class ReceiptLogReads {
  private static final String NAME = "ReceiptLog";

  /// RETURN and INVALID, with which the code that deploys ends and behind which what it deploys
  /// begins. The contract has no immutable values, so that is what stands on the chain.
  private static final String DEPLOYED_BEHIND = "f3fe";

  private final ChainRpc rpc;
  private final Address address;
  private final ReceiptLog contract;

  /// The log at an address.
  public ReceiptLogReads(ChainRpc rpc, Address log) {
    this.rpc = rpc;
    this.address = log;
    this.contract =
        ReceiptLog.load(
            log.hex(), rpc.web3j(), ContractReads.readOnly(rpc), new DefaultGasProvider());
  }

  /// When an account wrote a root down; empty where it never did.
  public Optional<Instant> anchoredAt(Address account, Hash root) {
    BigInteger at = ask(contract.anchoredAt(account.hex(), root.bytes()));
    return at.signum() == 0
        ? Optional.empty()
        : Optional.of(Instant.ofEpochSecond(at.longValueExact()));
  }

  /// True if the account wrote the proof's root down and the receipt is under it, as the contract
  /// itself finds.
  ///
  /// @param receipt the receipt's hash
  public boolean proves(Address account, Hash receipt, ReceiptProof proof) {
    return ask(
        contract.proves(
            account.hex(),
            proof.root().bytes(),
            receipt.bytes(),
            BigInteger.valueOf(proof.index()),
            BigInteger.valueOf(proof.count()),
            proof.path().stream().map(Hash::bytes).toList()));
  }

  /// True if the code at the address is to the byte what this software deploys, so that what it
  /// says can be believed of an address that somebody else named.
  public boolean isKnownCode() {
    String deploying = ReceiptLog.BINARY.toLowerCase(Locale.ROOT);
    String deployed =
        deploying.substring(deploying.indexOf(DEPLOYED_BEHIND) + DEPLOYED_BEHIND.length());
    return rpc.code(address).toLowerCase(Locale.ROOT).equals("0x" + deployed);
  }

  private <T> T ask(RemoteFunctionCall<T> call) {
    return ContractReads.read(rpc, NAME, address, call);
  }
}

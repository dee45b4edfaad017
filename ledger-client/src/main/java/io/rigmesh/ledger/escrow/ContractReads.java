package io.rigmesh.ledger.escrow;

import io.rigmesh.ledger.LedgerException;
import io.rigmesh.ledger.chain.ChainRpc;
import io.rigmesh.protocol.Address;
import java.io.IOException;
import org.web3j.protocol.core.RemoteFunctionCall;
import org.web3j.tx.ReadonlyTransactionManager;
import org.web3j.tx.TransactionManager;
import org.web3j.tx.exceptions.ContractCallException;

/// Reading calls through the generated wrappers, with this module's errors.
public final class ContractReads {
  private ContractReads() {}

  /// What wrappers are loaded with: they encode and decode, and never send.
  public static TransactionManager readOnly(ChainRpc rpc) {
    return new ReadonlyTransactionManager(rpc.web3j(), Address.ZERO.hex());
  }

  /// Asks a contract.
  ///
  /// @param contract its name, for the error's sentence
  /// @throws io.rigmesh.ledger.ChainUnavailableException if no endpoint answers
  public static <T> T read(
      ChainRpc rpc, String contract, Address address, RemoteFunctionCall<T> call) {
    try {
      return call.send();
    } catch (IOException e) {
      throw rpc.unavailable(e);
    } catch (ContractCallException e) {
      throw new LedgerException(
          "The contract at %s on the chain %d does not answer as a %s does; check the deployment file."
              .formatted(address, rpc.chainId(), contract),
          e);
    } catch (Exception e) {
      throw new LedgerException(
          "Reading the %s at %s failed: %s".formatted(contract, address, e.getMessage()), e);
    }
  }
}

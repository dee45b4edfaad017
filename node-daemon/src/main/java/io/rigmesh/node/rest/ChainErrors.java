package io.rigmesh.node.rest;

import com.linecorp.armeria.common.HttpStatus;
import io.rigmesh.ledger.ChainUnavailableException;
import io.rigmesh.ledger.InsufficientGasFundsException;
import io.rigmesh.ledger.IntentConflictException;
import io.rigmesh.ledger.LedgerException;
import io.rigmesh.ledger.TransactionFailedException;
import io.rigmesh.ledger.TransactionPendingException;
import io.rigmesh.ledger.TransactionRefusedException;
import io.rigmesh.ledger.channel.ChannelException;
import java.util.Optional;
import java.util.function.Supplier;

/// What keeps the chain from answering or from taking a transaction, as answers.
final class ChainErrors {
  private ChainErrors() {}

  /// Asks, and says what is in the way. A transaction that is pending is the caller's.
  static <T> T asked(Supplier<T> question) {
    try {
      return question.get();
    } catch (TransactionPendingException e) {
      throw e;
    } catch (TransactionRefusedException | TransactionFailedException e) {
      throw unprocessable(
          e instanceof TransactionRefusedException ? "transaction-refused" : "transaction-failed",
          e);
    } catch (ChannelException e) {
      throw unprocessable("not-signed", e);
    } catch (InsufficientGasFundsException e) {
      throw unprocessable("insufficient-gas-funds", e);
    } catch (IntentConflictException e) {
      throw ApiException.conflict("id-taken", String.valueOf(e.getMessage()));
    } catch (ChainUnavailableException e) {
      throw ApiException.unavailable("chain-unavailable", String.valueOf(e.getMessage()));
    } catch (LedgerException e) {
      throw ApiException.unavailable("wallet-unavailable", String.valueOf(e.getMessage()));
    }
  }

  private static ApiException unprocessable(String code, LedgerException e) {
    return new ApiException(
        HttpStatus.UNPROCESSABLE_ENTITY,
        ApiException.Type.INVALID_REQUEST,
        code,
        Optional.empty(),
        String.valueOf(e.getMessage()));
  }
}

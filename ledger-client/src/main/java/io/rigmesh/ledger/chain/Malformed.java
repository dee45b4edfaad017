package io.rigmesh.ledger.chain;

import io.rigmesh.protocol.MalformedException;
import java.util.function.Supplier;
import org.web3j.exceptions.MessageDecodingException;

/// Reading fields of an endpoint's answer, which may hold anything.
final class Malformed {
  private Malformed() {}

  /// What `read` gives.
  ///
  /// @throws RpcRefusedException if the answer does not hold what it should
  static <T> T refuse(String method, Supplier<T> read) {
    try {
      return read.get();
    } catch (IllegalArgumentException
        | ArithmeticException
        | MalformedException
        | MessageDecodingException
        | NullPointerException e) {
      throw new RpcRefusedException(method, 0, "the answer is malformed: " + e.getMessage());
    }
  }
}

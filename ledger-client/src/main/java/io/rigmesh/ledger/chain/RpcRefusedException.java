package io.rigmesh.ledger.chain;

import io.rigmesh.ledger.LedgerException;

/// An endpoint understood a request and refused it.
public final class RpcRefusedException extends LedgerException {
  private static final long serialVersionUID = 1L;

  RpcRefusedException(String method, int code, String message) {
    super("The chain refused " + method + ": " + message + " (code " + code + ")");
  }
}

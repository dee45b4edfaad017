package io.rigmesh.libp2p.resource;

import java.util.List;

/// Something that is entered in accounts: a connection or a stream, with the memory reserved in its
/// own name. All but the public methods are called with the ledger's lock held.
abstract class Holder implements MemoryScope {
  private final LimitedResources ledger;
  private final Account account;
  private Usage held;
  private boolean closed;

  Holder(LimitedResources ledger, Account account, Usage held) {
    this.ledger = ledger;
    this.account = account;
    this.held = held;
  }

  /// Every account this is entered in, its own first: the innermost refusal is the one reported.
  abstract List<Account> accounts();

  LimitedResources ledger() {
    return ledger;
  }

  Account account() {
    return account;
  }

  Usage held() {
    return held;
  }

  boolean isClosed() {
    return closed;
  }

  void requireOpen() {
    if (closed) {
      throw new ResourceLimitException("The scope '" + account.name() + "' is closed");
    }
  }

  @Override
  public void reserveMemory(long bytes) {
    if (bytes < 0) {
      throw new IllegalArgumentException("Memory to reserve is not negative: " + bytes);
    }
    ledger.lock().lock();
    try {
      requireOpen();
      Usage more = Usage.memory(bytes);
      ledger.charge(accounts(), more);
      held = held.plus(more);
    } finally {
      ledger.lock().unlock();
    }
  }

  @Override
  public void releaseMemory(long bytes) {
    ledger.lock().lock();
    try {
      if (closed) {
        return;
      }
      if (bytes < 0 || bytes > held.memoryBytes()) {
        throw new IllegalStateException(
            "The scope '"
                + account.name()
                + "' has reserved "
                + held.memoryBytes()
                + " bytes and cannot give back "
                + bytes);
      }
      Usage less = Usage.memory(bytes);
      ledger.release(accounts(), less);
      held = held.minus(less);
    } finally {
      ledger.lock().unlock();
    }
  }

  /// Takes this out of all its accounts, once.
  void end() {
    if (!closed) {
      closed = true;
      ledger.release(accounts(), held);
      held = Usage.NOTHING;
    }
  }
}

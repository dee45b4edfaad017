package io.rigmesh.ledger.channel;

/// What a payee takes.
///
/// @param contractSigners whether it takes channels whose vouchers a contract signs (EIP-1271). A
///   key's voucher is good for as long as its channel is open; a contract may think otherwise by
///   the time that a voucher is handed in, when its owners change for one. Each such voucher also
///   asks the chain, and is handed in by a call of its own
public record PayeeSettings(boolean contractSigners) {
  /// Keys only.
  public static PayeeSettings standard() {
    return new PayeeSettings(false);
  }
}

package io.rigmesh.protocol;

/// What a payment channel is: who pays whom in which token, and who signs for the payer. None of it
/// ever changes, and the channel's id follows from it, so that two parties that agree on the terms
/// mean the same channel.
///
/// @param payer the account whose money is in the channel, and to whom the rest goes back
/// @param signer the account whose vouchers count: the payer itself, or a session key of it
/// @param payee the account that is paid
/// @param token the ERC-20 token; [Address#ZERO] is the chain's own coin
/// @param salt tells channels apart that are alike in all else; an unsigned 64-bit number
public record ChannelTerms(Address payer, Address signer, Address payee, Address token, long salt) {
  /// The channel's id: Keccak-256 of the five members as 32-byte words (`abi.encode` of the
  /// contract's struct). It is the same on every chain and in every contract; a voucher's EIP-712
  /// domain tells those apart.
  public Hash id() {
    return Digests.keccak256(
        Words.address(payer),
        Words.address(signer),
        Words.address(payee),
        Words.address(token),
        Words.uint64(salt));
  }
}

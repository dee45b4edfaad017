package io.rigmesh.protocol;

/// All that `rigmesh verify` needs besides the model, the input and the output: the content of a
/// `receipt.json`.
///
/// @param domain the chain and contract for which both signatures hold
/// @param job the signed job
/// @param receipt the signed receipt
/// @param evidence the links and claims behind the receipt
public record ReceiptFile(Domain domain, SignedJob job, SignedReceipt receipt, Evidence evidence) {}

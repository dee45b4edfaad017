package io.rigmesh.ledger.escrow;

import io.rigmesh.ledger.chain.Call;
import io.rigmesh.ledger.chain.ChainRpc;
import io.rigmesh.ledger.chain.Inclusion;
import io.rigmesh.ledger.generated.JobEscrow;
import io.rigmesh.ledger.intent.TransactionSender;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.TokenAmount;
import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.web3j.tx.gas.DefaultGasProvider;

/// The escrow of jobs, used from one account as a requester, a provider or both. Every method that
/// changes something happens at most once for a job: called again, also after a restart, it finds
/// the first and waits for that. All of them return when the transaction is confirmed, and throw
/// what [TransactionSender#send] throws. Safe for use by several threads.
public final class EscrowClient {
  private final TransactionSender sender;
  private final ChainRpc rpc;
  private final TokenClient token;
  private final Address address;
  private final Duration timeout;
  private final JobEscrow contract;

  /// The escrow at an address.
  ///
  /// @param timeout how long a transaction may take to be confirmed before the caller hears that it
  ///   is pending
  public EscrowClient(
      TransactionSender sender, TokenClient token, Address escrow, Duration timeout) {
    this.sender = sender;
    this.rpc = sender.rpc();
    this.token = token;
    this.address = escrow;
    this.timeout = timeout;
    this.contract =
        JobEscrow.load(
            escrow.hex(), rpc.web3j(), ContractReads.readOnly(rpc), new DefaultGasProvider());
  }

  /// The escrow's contract.
  public Address address() {
    return address;
  }

  /// The EIP-712 domain of jobs and receipts that this escrow settles.
  public Domain domain() {
    return new Domain(rpc.chainId(), address);
  }

  /// How long a requester may look at a proof before anybody may release the money.
  public Duration challengeTime() {
    return Duration.ofSeconds(
        ContractReads.read(rpc, "JobEscrow", address, contract.challengeSeconds())
            .longValueExact());
  }

  /// The token that this escrow holds, to be compared with the configured one.
  public Address tokenAddress() {
    return Address.fromHex(ContractReads.read(rpc, "JobEscrow", address, contract.token()));
  }

  /// The escrow of a requester's job in the newest block; empty where there is none.
  public Optional<Escrow> escrow(Address requester, Hash jobId) {
    JobEscrow.Escrow raw =
        ContractReads.read(
            rpc, "JobEscrow", address, contract.escrowOf(requester.hex(), jobId.bytes()));
    int status = raw.status.intValueExact();
    if (status == 0) {
      return Optional.empty();
    }
    Optional<Escrow.Proof> proof =
        raw.provenAt.signum() == 0
            ? Optional.empty()
            : Optional.of(
                new Escrow.Proof(
                    Hash.of(raw.proofRoot),
                    new TokenAmount(raw.amountDue),
                    Instant.ofEpochSecond(raw.provenAt.longValueExact())));
    return Optional.of(
        new Escrow(
            Address.fromHex(raw.provider),
            EscrowStatus.ofNumber(status),
            Instant.ofEpochSecond(raw.deadline.longValueExact()),
            new TokenAmount(raw.amount),
            proof));
  }

  /// Locks `amount` of this account's tokens for a job.
  ///
  /// @param deadline the proof must be in a block before this time; whole seconds
  public Inclusion fund(Hash jobId, Address provider, TokenAmount amount, Instant deadline) {
    BigInteger seconds = BigInteger.valueOf(deadline.getEpochSecond());
    return token.spend(
        "fund:" + sender.account().hex() + ":" + jobId.hex(),
        "lock %s for job %s by provider %s until %d with %s"
            .formatted(amount, jobId, provider, deadline.getEpochSecond(), address),
        address,
        amount,
        () ->
            Call.of(
                address,
                contract
                    .fund(jobId.bytes(), provider.hex(), amount.units(), seconds)
                    .encodeFunctionCall()),
        permit ->
            Call.of(
                address,
                contract
                    .fundWithPermit(
                        jobId.bytes(),
                        provider.hex(),
                        amount.units(),
                        seconds,
                        permit.deadlineSeconds(),
                        permit.v(),
                        permit.signature().r(),
                        permit.signature().s())
                    .encodeFunctionCall()));
  }

  /// As the provider: takes a funded job on.
  public Inclusion accept(Address requester, Hash jobId) {
    return send(
        "accept",
        requester,
        jobId,
        "accept job %s".formatted(jobId),
        contract.accept(requester.hex(), jobId.bytes()).encodeFunctionCall());
  }

  /// As the provider: hands in the proof of an accepted job and says what is due.
  public Inclusion submitProof(
      Address requester, Hash jobId, Hash proofRoot, TokenAmount amountDue) {
    return send(
        "prove",
        requester,
        jobId,
        "prove job %s by root %s, due %s".formatted(jobId, proofRoot, amountDue),
        contract
            .submitProof(requester.hex(), jobId.bytes(), proofRoot.bytes(), amountDue.units())
            .encodeFunctionCall());
  }

  /// Pays the provider of a proven job: as the requester at any time, as anybody after the
  /// challenge time.
  public Inclusion release(Address requester, Hash jobId) {
    return send(
        "release",
        requester,
        jobId,
        "release the money for job %s".formatted(jobId),
        contract.release(requester.hex(), jobId.bytes()).encodeFunctionCall());
  }

  /// Takes the money of a job back to its requester, after the deadline and without a proof.
  public Inclusion refund(Address requester, Hash jobId) {
    return send(
        "refund",
        requester,
        jobId,
        "refund job %s after its deadline".formatted(jobId),
        contract.refund(requester.hex(), jobId.bytes()).encodeFunctionCall());
  }

  /// As the provider: gives the money of a job back at once.
  public Inclusion decline(Address requester, Hash jobId) {
    return send(
        "decline",
        requester,
        jobId,
        "decline job %s and give its money back".formatted(jobId),
        contract.decline(requester.hex(), jobId.bytes()).encodeFunctionCall());
  }

  /// What the token refused to pay to an account and waits for [#collect].
  public TokenAmount deferred(Address account) {
    return new TokenAmount(
        ContractReads.read(rpc, "JobEscrow", address, contract.deferredOf(account.hex())));
  }

  /// Pays out what the token had refused to pay to an account.
  ///
  /// @param occasion names this collection for ever
  public Inclusion collect(Address account, String occasion) {
    return sender.send(
        "collect:" + occasion,
        "collect what waits for %s at %s".formatted(account, address),
        () -> Call.of(address, contract.collect(account.hex()).encodeFunctionCall()),
        timeout);
  }

  private Inclusion send(String verb, Address requester, Hash jobId, String purpose, String data) {
    return sender.send(
        verb + ":" + requester.hex() + ":" + jobId.hex(),
        purpose + " of requester " + requester + " with " + address,
        () -> Call.of(address, data),
        timeout);
  }
}

package io.rigmesh.ledger.escrow;

import io.rigmesh.ledger.ChainUnavailableException;
import io.rigmesh.ledger.chain.Call;
import io.rigmesh.ledger.chain.ChainRpc;
import io.rigmesh.ledger.chain.Inclusion;
import io.rigmesh.ledger.chain.RpcRefusedException;
import io.rigmesh.ledger.generated.JobEscrow;
import io.rigmesh.ledger.intent.TransactionSender;
import io.rigmesh.protocol.Acceptance;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Approval;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Signature;
import io.rigmesh.protocol.TokenAmount;
import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.web3j.abi.FunctionReturnDecoder;
import org.web3j.abi.TypeReference;
import org.web3j.abi.datatypes.Type;
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

  /// The EIP-712 domain of jobs and receipts that this escrow settles.
  public Domain domain() {
    return new Domain(rpc.chainId(), address);
  }

  /// Who rules over disputes; empty where nobody does, and nothing can be disputed.
  public Optional<Address> referee() {
    Address referee =
        Address.fromHex(ContractReads.read(rpc, "JobEscrow", address, contract.referee()));
    return referee.equals(Address.ZERO) ? Optional.empty() : Optional.of(referee);
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

  /// How long the referee has to rule over a dispute.
  public Duration disputeTime() {
    return Duration.ofSeconds(
        ContractReads.read(rpc, "JobEscrow", address, contract.disputeSeconds()).longValueExact());
  }

  /// The escrow of a requester's job in the newest block; empty where there is none.
  public Optional<Escrow> escrow(Address requester, Hash jobId) {
    return escrow(
        ContractReads.read(
            rpc, "JobEscrow", address, contract.escrowOf(requester.hex(), jobId.bytes())));
  }

  /// The same as it was at a depth; empty where there was none.
  ///
  /// @param confirmations how many blocks hold what this tells, the first of them counted
  public Optional<Escrow> escrow(Address requester, Hash jobId, int confirmations) {
    return readAt(
            contract.escrowOf(requester.hex(), jobId.bytes()).encodeFunctionCall(),
            new TypeReference<JobEscrow.Escrow>() {},
            confirmations)
        .flatMap(EscrowClient::escrow);
  }

  /// Whether the money of a milestone had gone where it goes at a depth, in whatever way.
  ///
  /// @param confirmations how many blocks hold what this tells, the first of them counted
  public boolean isPaid(Address requester, Hash jobId, int number, int confirmations) {
    Optional<Milestone.Status> status =
        readAt(
                contract
                    .milestoneOf(requester.hex(), jobId.bytes(), BigInteger.valueOf(number))
                    .encodeFunctionCall(),
                new TypeReference<JobEscrow.Milestone>() {},
                confirmations)
            .flatMap(Milestone::of)
            .map(Milestone::status);
    // One that was settled in one step leaves nothing behind but the escrow's count.
    return status
        .map(s -> s == Milestone.Status.PAID)
        .orElseGet(() ->
            escrow(requester, jobId, confirmations)
                .map(escrow -> escrow.proven() >= number)
                .orElse(false));
  }

  @SuppressWarnings({"rawtypes", "unchecked"}) // Web3j's own lists of types.
  private <T extends Type> Optional<T> readAt(
      String data, TypeReference<T> type, int confirmations) {
    try {
      long block = Math.max(0, rpc.head().number() - confirmations + 1);
      String answer = rpc.callAt(Address.ZERO, Call.of(address, data), block);
      // Before its own block the contract is not there and gives nothing back.
      List<Type> words = FunctionReturnDecoder.decode(answer, (List) List.of(type));
      return words.isEmpty() ? Optional.empty() : Optional.of((T) words.getFirst());
    } catch (RpcRefusedException e) {
      throw new ChainUnavailableException(
          "The escrow at %s cannot be read: %s".formatted(address, e.getMessage()), e);
    }
  }

  private static Optional<Escrow> escrow(JobEscrow.Escrow raw) {
    int status = raw.status.intValueExact();
    if (status == 0) {
      return Optional.empty();
    }
    return Optional.of(
        new Escrow(
            Address.fromHex(raw.provider),
            EscrowStatus.ofNumber(status),
            Instant.ofEpochSecond(raw.deadline.longValueExact()),
            new TokenAmount(raw.amount),
            raw.milestones.intValueExact(),
            raw.proven.intValueExact(),
            raw.paid.intValueExact(),
            new TokenAmount(raw.amountDue)));
  }

  /// A milestone of a requester's job in the newest block; empty where it is not proven, or was
  /// settled in one step.
  public Optional<Milestone> milestone(Address requester, Hash jobId, int number) {
    return Milestone.of(
        ContractReads.read(
            rpc,
            "JobEscrow",
            address,
            contract.milestoneOf(requester.hex(), jobId.bytes(), BigInteger.valueOf(number))));
  }

  /// Locks `amount` of this account's tokens for a job.
  ///
  /// @param deadline each proof must be in a block before this time; whole seconds
  /// @param milestones in how many parts the job is proven and paid, from 1 to 64
  public Inclusion fund(
      Hash jobId, Address provider, TokenAmount amount, Instant deadline, int milestones) {
    BigInteger seconds = BigInteger.valueOf(deadline.getEpochSecond());
    BigInteger parts = BigInteger.valueOf(milestones);
    return token.spend(
        fundKey(jobId),
        "lock %s for job %s by provider %s until %d in %d parts with %s"
            .formatted(amount, jobId, provider, deadline.getEpochSecond(), milestones, address),
        address,
        amount,
        () ->
            Call.of(
                address,
                contract
                    .fund(jobId.bytes(), provider.hex(), amount.units(), seconds, parts)
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
                        parts,
                        words(permit))
                    .encodeFunctionCall()));
  }

  /// The same for a job that its provider has taken on by signature: the job is accepted with it,
  /// and the provider sends nothing.
  ///
  /// @param acceptance the terms; this account is their requester
  /// @param signature the provider's signature over them
  public Inclusion fundAccepted(Acceptance acceptance, Signature signature) {
    if (!acceptance.requester().equals(sender.account())) {
      throw new IllegalArgumentException(
          "the acceptance is for the requester " + acceptance.requester());
    }
    BigInteger seconds = BigInteger.valueOf(acceptance.deadlineSeconds());
    BigInteger parts = BigInteger.valueOf(acceptance.milestones());
    byte[] job = acceptance.job().bytes();
    String provider = acceptance.provider().hex();
    TokenAmount amount = acceptance.amount();
    return token.spend(
        fundKey(acceptance.job()),
        "lock %s for job %s, taken on by provider %s, until %d in %d parts with %s"
            .formatted(
                amount,
                acceptance.job(),
                acceptance.provider(),
                acceptance.deadlineSeconds(),
                acceptance.milestones(),
                address),
        address,
        amount,
        () ->
            Call.of(
                address,
                contract
                    .fundAccepted(job, provider, amount.units(), seconds, parts, signature.bytes())
                    .encodeFunctionCall()),
        permit ->
            Call.of(
                address,
                contract
                    .fundAcceptedWithPermit(
                        job,
                        provider,
                        amount.units(),
                        seconds,
                        parts,
                        signature.bytes(),
                        words(permit))
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

  /// As the provider: hands in the proof of the next milestone of an accepted job and says what is
  /// due for it.
  ///
  /// @param milestone which one, from 1
  public Inclusion submitProof(
      Address requester, Hash jobId, int milestone, Hash proofRoot, TokenAmount amountDue) {
    return send(
        "prove",
        requester,
        jobId,
        milestone,
        "prove milestone %d of job %s by root %s, due %s"
            .formatted(milestone, jobId, proofRoot, amountDue),
        contract
            .submitProof(
                requester.hex(),
                jobId.bytes(),
                BigInteger.valueOf(milestone),
                proofRoot.bytes(),
                amountDue.units())
            .encodeFunctionCall());
  }

  /// Pays the provider of a proven milestone: as the requester at any time, as anybody after the
  /// challenge time.
  public Inclusion release(Address requester, Hash jobId, int milestone) {
    return send(
        "release",
        requester,
        jobId,
        milestone,
        "release the money for milestone %d of job %s".formatted(milestone, jobId),
        contract
            .release(requester.hex(), jobId.bytes(), BigInteger.valueOf(milestone))
            .encodeFunctionCall());
  }

  /// Pays a milestone by the requester's signature: as anybody one that is proven, as the provider
  /// also the next, in place of its proof.
  public Inclusion settle(Address requester, Approval approval, Signature signature) {
    return send(
        "settle",
        requester,
        approval.job(),
        approval.milestone(),
        "settle milestone %d of job %s by root %s, due %s"
            .formatted(
                approval.milestone(), approval.job(), approval.proofRoot(), approval.amountDue()),
        contract
            .settle(
                requester.hex(),
                approval.job().bytes(),
                BigInteger.valueOf(approval.milestone()),
                approval.proofRoot().bytes(),
                approval.amountDue().units(),
                signature.bytes())
            .encodeFunctionCall());
  }

  /// The key of the transaction with which a requester disputes a milestone.
  public static String disputeKey(Address requester, Hash jobId, int milestone) {
    return "dispute:" + what(requester, jobId, milestone);
  }

  /// As the requester: lays a proven milestone before the referee, within the challenge time.
  public Inclusion dispute(Hash jobId, int milestone) {
    return send(
        "dispute",
        sender.account(),
        jobId,
        milestone,
        "dispute milestone %d of job %s".formatted(milestone, jobId),
        contract.dispute(jobId.bytes(), BigInteger.valueOf(milestone)).encodeFunctionCall());
  }

  /// Gives a disputed milestone's money back to the requester, once the referee's time is over
  /// without a ruling. Anybody may.
  public Inclusion expireDispute(Address requester, Hash jobId, int milestone) {
    return send(
        "expire-dispute",
        requester,
        jobId,
        milestone,
        "end the dispute over milestone %d of job %s without a ruling".formatted(milestone, jobId),
        contract
            .expireDispute(requester.hex(), jobId.bytes(), BigInteger.valueOf(milestone))
            .encodeFunctionCall());
  }

  /// Takes what is not proven of a job back to its requester, after the deadline.
  public Inclusion refund(Address requester, Hash jobId) {
    return send(
        "refund",
        requester,
        jobId,
        "refund job %s after its deadline".formatted(jobId),
        contract.refund(requester.hex(), jobId.bytes()).encodeFunctionCall());
  }

  /// As the provider: gives what is not proven of a job back at once.
  public Inclusion decline(Address requester, Hash jobId) {
    return send(
        "decline",
        requester,
        jobId,
        "decline job %s and give its money back".formatted(jobId),
        contract.decline(requester.hex(), jobId.bytes()).encodeFunctionCall());
  }

  private static JobEscrow.Permit words(Permit permit) {
    return new JobEscrow.Permit(
        permit.deadlineSeconds(), permit.v(), permit.signature().r(), permit.signature().s());
  }

  /// A milestone's transactions are told apart by its number. The first has the key that the only
  /// one had before there were several, so that a store of then is understood.
  private Inclusion send(
      String verb, Address requester, Hash jobId, int milestone, String purpose, String data) {
    return send(verb, what(requester, jobId, milestone), requester, purpose, data);
  }

  private static String what(Address requester, Hash jobId, int milestone) {
    String what = requester.hex() + ":" + jobId.hex();
    return milestone == 1 ? what : what + ":" + milestone;
  }

  private Inclusion send(String verb, Address requester, Hash jobId, String purpose, String data) {
    return send(verb, requester.hex() + ":" + jobId.hex(), requester, purpose, data);
  }

  /// A job is funded once: a permit that went stale while the chain was reorganised, for one, may
  /// be replaced.
  private String fundKey(Hash jobId) {
    return sender.anew("fund:" + sender.account().hex() + ":" + jobId.hex());
  }

  /// The contract takes each once: what reverted or was displaced may be sent anew.
  private Inclusion send(String verb, String what, Address requester, String purpose, String data) {
    return sender.sendAnew(
        verb + ":" + what,
        purpose + " of requester " + requester + " with " + address,
        () -> Call.of(address, data),
        timeout);
  }
}

package io.rigmesh.ledger.escrow;

import io.rigmesh.ledger.chain.ChainLog;
import io.rigmesh.ledger.follow.EventSource;
import io.rigmesh.ledger.follow.LogPattern;
import io.rigmesh.ledger.generated.JobEscrow;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.TokenAmount;
import java.time.Instant;
import java.util.List;
import org.web3j.abi.EventEncoder;
import org.web3j.abi.datatypes.Event;
import org.web3j.protocol.core.methods.response.Log;

/// The escrow's events that concern some accounts, as requester or provider.
public final class EscrowEvents implements EventSource<EscrowEvent> {
  private static final Hash FUNDED = kind(JobEscrow.FUNDED_EVENT);
  private static final Hash ACCEPTED = kind(JobEscrow.ACCEPTED_EVENT);
  private static final Hash PROOF_SUBMITTED = kind(JobEscrow.PROOFSUBMITTED_EVENT);
  private static final Hash DISPUTED = kind(JobEscrow.DISPUTED_EVENT);
  private static final Hash RELEASED = kind(JobEscrow.RELEASED_EVENT);
  private static final Hash REFUNDED = kind(JobEscrow.REFUNDED_EVENT);
  private static final List<Hash> KINDS =
      List.of(FUNDED, ACCEPTED, PROOF_SUBMITTED, DISPUTED, RELEASED, REFUNDED);

  private final Address escrow;
  private final List<Address> accounts;

  /// The events of the escrow at an address about any of the accounts.
  public EscrowEvents(Address escrow, List<Address> accounts) {
    this.escrow = escrow;
    this.accounts = List.copyOf(accounts);
  }

  private static Hash kind(Event event) {
    return Hash.fromHex(EventEncoder.encode(event));
  }

  @Override
  public String name() {
    return "escrow";
  }

  @Override
  public Address contract() {
    return escrow;
  }

  @Override
  public List<LogPattern> patterns() {
    return List.of(LogPattern.of(KINDS, 1, accounts), LogPattern.of(KINDS, 2, accounts));
  }

  @Override
  public EscrowEvent event(ChainLog from) {
    Log log = from.web3j();
    if (from.isOf(FUNDED)) {
      JobEscrow.FundedEventResponse raw = JobEscrow.getFundedEventFromLog(log);
      return new EscrowEvent.Funded(
          from.place(),
          job(raw.requester, raw.provider, raw.jobId),
          new TokenAmount(raw.amount),
          Instant.ofEpochSecond(raw.deadline.longValueExact()),
          raw.milestones.intValueExact());
    }
    if (from.isOf(ACCEPTED)) {
      JobEscrow.AcceptedEventResponse raw = JobEscrow.getAcceptedEventFromLog(log);
      return new EscrowEvent.Accepted(from.place(), job(raw.requester, raw.provider, raw.jobId));
    }
    if (from.isOf(PROOF_SUBMITTED)) {
      JobEscrow.ProofSubmittedEventResponse raw = JobEscrow.getProofSubmittedEventFromLog(log);
      return new EscrowEvent.ProofSubmitted(
          from.place(),
          job(raw.requester, raw.provider, raw.jobId),
          raw.milestone.intValueExact(),
          Hash.of(raw.proofRoot),
          new TokenAmount(raw.amountDue));
    }
    if (from.isOf(DISPUTED)) {
      JobEscrow.DisputedEventResponse raw = JobEscrow.getDisputedEventFromLog(log);
      return new EscrowEvent.Disputed(
          from.place(),
          job(raw.requester, raw.provider, raw.jobId),
          raw.milestone.intValueExact(),
          Instant.ofEpochSecond(raw.rulingBefore.longValueExact()));
    }
    if (from.isOf(RELEASED)) {
      JobEscrow.ReleasedEventResponse raw = JobEscrow.getReleasedEventFromLog(log);
      return new EscrowEvent.Released(
          from.place(),
          job(raw.requester, raw.provider, raw.jobId),
          raw.milestone.intValueExact(),
          new TokenAmount(raw.amountPaid),
          new TokenAmount(raw.amountReturned));
    }
    JobEscrow.RefundedEventResponse raw = JobEscrow.getRefundedEventFromLog(log);
    return new EscrowEvent.Refunded(
        from.place(), job(raw.requester, raw.provider, raw.jobId), new TokenAmount(raw.amount));
  }

  private static EscrowEvent.JobOf job(String requester, String provider, byte[] jobId) {
    return new EscrowEvent.JobOf(
        Address.fromHex(requester), Address.fromHex(provider), Hash.of(jobId));
  }
}

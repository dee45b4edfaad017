package io.rigmesh.ledger.escrow;

import io.rigmesh.ledger.chain.ChainRpc;
import io.rigmesh.ledger.generated.JobEscrow;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.TokenAmount;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.web3j.abi.EventEncoder;
import org.web3j.protocol.core.methods.response.Log;

/// Reads the escrow's logs that concern one account and turns them into events.
final class EscrowLogs {
  private static final String FUNDED = EventEncoder.encode(JobEscrow.FUNDED_EVENT);
  private static final String ACCEPTED = EventEncoder.encode(JobEscrow.ACCEPTED_EVENT);
  private static final String PROOF_SUBMITTED = EventEncoder.encode(JobEscrow.PROOFSUBMITTED_EVENT);
  private static final String RELEASED = EventEncoder.encode(JobEscrow.RELEASED_EVENT);
  private static final String REFUNDED = EventEncoder.encode(JobEscrow.REFUNDED_EVENT);
  private static final List<String> KINDS =
      List.of(FUNDED, ACCEPTED, PROOF_SUBMITTED, RELEASED, REFUNDED);

  private final ChainRpc rpc;
  private final Address escrow;
  private final String accountTopic;

  EscrowLogs(ChainRpc rpc, Address escrow, Address account) {
    this.rpc = rpc;
    this.escrow = escrow;
    this.accountTopic = "0x" + "0".repeat(24) + HexFormat.of().formatHex(account.bytes());
  }

  /// The events in a range of blocks, both ends included, in the order of the chain. A topic filter
  /// cannot say "either party", so two queries are asked and put together.
  List<EscrowEvent> read(long from, long to) {
    List<Log> logs = new ArrayList<>();
    logs.addAll(rpc.logs(escrow, from, to, List.of(KINDS, List.of(accountTopic))));
    logs.addAll(rpc.logs(escrow, from, to, List.of(KINDS, List.of(), List.of(accountTopic))));
    Set<EscrowEvent.Place> seen = new HashSet<>();
    List<EscrowEvent> events = new ArrayList<>();
    for (Log log : logs) {
      EscrowEvent event = event(log);
      // An account may be both parties of a job.
      if (seen.add(event.place())) {
        events.add(event);
      }
    }
    events.sort(
        Comparator.comparingLong((EscrowEvent event) -> event.place().blockNumber())
            .thenComparingLong(event -> event.place().logIndex()));
    return events;
  }

  private static EscrowEvent event(Log log) {
    EscrowEvent.Place place =
        new EscrowEvent.Place(
            log.getBlockNumber().longValueExact(),
            Hash.fromHex(log.getBlockHash()),
            Hash.fromHex(log.getTransactionHash()),
            log.getLogIndex().longValueExact());
    String kind = log.getTopics().get(0).toLowerCase(Locale.ROOT);
    if (kind.equals(FUNDED)) {
      JobEscrow.FundedEventResponse raw = JobEscrow.getFundedEventFromLog(log);
      return new EscrowEvent.Funded(
          place,
          job(raw.requester, raw.provider, raw.jobId),
          new TokenAmount(raw.amount),
          Instant.ofEpochSecond(raw.deadline.longValueExact()));
    }
    if (kind.equals(ACCEPTED)) {
      JobEscrow.AcceptedEventResponse raw = JobEscrow.getAcceptedEventFromLog(log);
      return new EscrowEvent.Accepted(place, job(raw.requester, raw.provider, raw.jobId));
    }
    if (kind.equals(PROOF_SUBMITTED)) {
      JobEscrow.ProofSubmittedEventResponse raw = JobEscrow.getProofSubmittedEventFromLog(log);
      return new EscrowEvent.ProofSubmitted(
          place,
          job(raw.requester, raw.provider, raw.jobId),
          Hash.of(raw.proofRoot),
          new TokenAmount(raw.amountDue));
    }
    if (kind.equals(RELEASED)) {
      JobEscrow.ReleasedEventResponse raw = JobEscrow.getReleasedEventFromLog(log);
      return new EscrowEvent.Released(
          place,
          job(raw.requester, raw.provider, raw.jobId),
          new TokenAmount(raw.amountPaid),
          new TokenAmount(raw.amountReturned));
    }
    JobEscrow.RefundedEventResponse raw = JobEscrow.getRefundedEventFromLog(log);
    return new EscrowEvent.Refunded(
        place, job(raw.requester, raw.provider, raw.jobId), new TokenAmount(raw.amount));
  }

  private static EscrowEvent.JobOf job(String requester, String provider, byte[] jobId) {
    return new EscrowEvent.JobOf(
        Address.fromHex(requester), Address.fromHex(provider), Hash.of(jobId));
  }
}

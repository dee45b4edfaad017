package io.rigmesh.node.jobs;

import io.rigmesh.protocol.Hash;
import java.util.List;
import java.util.Optional;

/// The node's jobs, on either side of the market. Safe for use by several threads; blocks for disk
/// and, where said, for the network.
public interface Jobs {
  /// Makes a draft into a job: asks the provider for its price where the draft names none, signs
  /// with the node's key, and keeps it. It goes on in the background from there.
  ///
  /// @throws RefusedException if it cannot become a job that the provider would take
  JobView submit(JobDraft draft);

  /// Takes a job that was signed elsewhere for this node to compute, as JSON of at most
  /// [io.rigmesh.protocol.JobCheck#JSON_BYTES_MAX] bytes. Funding is checked last, so that a
  /// refusal for lack of funds means that nothing else is wrong.
  Intake accept(byte[] signedJobJson);

  /// Jobs, newest first.
  List<JobView> list(JobQuery query);

  /// One job.
  Optional<JobView> find(Hash id);

  /// Calls a job off.
  CancelResult cancel(Hash id);

  /// A job's events behind a sequence number, 0 for all; empty if there is no such job. The caller
  /// closes them.
  Optional<JobEvents> events(Hash id, long afterSequence);

  /// The `receipt.json` of a completed job.
  Optional<byte[]> receipt(Hash id);

  /// The output of a completed job.
  Optional<Artifacts> artifacts(Hash id);
}

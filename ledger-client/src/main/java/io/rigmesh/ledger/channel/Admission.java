package io.rigmesh.ledger.channel;

import io.rigmesh.protocol.Refusal;
import io.rigmesh.protocol.TokenAmount;

/// A payee's answer to a job that a channel shall pay.
public sealed interface Admission {
  /// The channel covers it.
  ///
  /// @param channel the channel
  /// @param unpaid what earlier jobs of the channel still owe
  record Admitted(Channel channel, TokenAmount unpaid) implements Admission {}

  /// It does not.
  ///
  /// @param refusal why, and what would help
  record Refused(Refusal refusal) implements Admission {}
}

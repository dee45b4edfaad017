package io.rigmesh.protocol;

import java.util.Locale;

/// Why a job is not taken. The names are part of the wire and REST interface; none is ever reused
/// for something else.
public enum RefusalCode {
  /// Not of the form that docs/protocol.md defines.
  MALFORMED,
  /// More bytes than allowed.
  TOO_LARGE,
  /// Not signed by its requester for this chain and contract.
  BAD_SIGNATURE,
  /// Its deadline has passed.
  EXPIRED,
  /// Its requester has used this nonce before, for another job.
  REPLAYED,
  /// Its deadline comes before the work can be done.
  DEADLINE_TOO_SOON,
  /// Its price limit is below what this provider asks.
  PRICE_TOO_LOW,
  /// No escrow or channel for it, or not enough in it, or for someone else.
  NOT_FUNDED,
  /// Its requester pays on another chain, or by another contract.
  WRONG_CHAIN,
  /// Its channel owes more than this provider lets anybody owe.
  UNPAID,
  /// The model is not here.
  UNKNOWN_MODEL,
  /// The input is not here.
  UNKNOWN_INPUT,
  /// No device here computes this profile or kind.
  UNSUPPORTED,
  /// It needs more memory than the device has.
  OUT_OF_MEMORY,
  /// The queue is full; later may do.
  BUSY,
  /// The node is stopping, or its chain is away; later may do.
  UNAVAILABLE;

  /// The code as it stands in JSON.
  public String id() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /// The code of that name.
  ///
  /// @throws MalformedException if there is none
  public static RefusalCode of(String id) {
    for (RefusalCode code : values()) {
      if (code.id().equals(id)) {
        return code;
      }
    }
    throw new MalformedException("no refusal code '" + id + "'");
  }
}

package io.rigmesh.node;

import io.rigmesh.node.jobs.JobRole;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.TokenAmount;
import java.time.Instant;
import java.util.Optional;

/// A payment channel of this node.
///
/// @param id the channel
/// @param role as a requester this node pays by it, as a provider it is paid
/// @param other the account on the other side
/// @param state `opening`, `open`, `leaving`, `closing`, `closed`, `found` or `failed`
/// @param deposit all that was ever put in, as far as the chain was asked
/// @param redeemed all that was ever paid out of it by vouchers
/// @param promised what the newest voucher comes to
/// @param held what running jobs may still cost above that
/// @param unpaid what jobs owe above the newest voucher; zero on the side that pays
/// @param closesAt from when on anybody may close it
/// @param note why it gets no further voucher; else empty
public record ChannelView(
    Hash id,
    JobRole role,
    Address other,
    String state,
    TokenAmount deposit,
    TokenAmount redeemed,
    TokenAmount promised,
    TokenAmount held,
    TokenAmount unpaid,
    Optional<Instant> closesAt,
    String note) {}

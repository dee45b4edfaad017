package io.rigmesh.node.network;

import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.time.Instant;
import java.util.Optional;

/// A connection to a peer as it stands now.
///
/// @param peer who it is
/// @param address where it was dialled, or came from
/// @param direction who dialled
/// @param agent the software that it says it runs; empty while that is not known
/// @param security how the connection is secured
/// @param muxer how streams share it
/// @param relayed whether it runs through a relay, with that relay's limits
/// @param streams how many streams are open on it
/// @param openedAt since when
/// @param blame what the peer was caught at, if ever
public record PeerView(
    PeerId peer,
    Multiaddr address,
    Direction direction,
    String agent,
    String security,
    String muxer,
    boolean relayed,
    int streams,
    Instant openedAt,
    Optional<Blames.Blame> blame) {}

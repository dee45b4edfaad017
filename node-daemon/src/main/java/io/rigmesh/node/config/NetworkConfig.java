package io.rigmesh.node.config;

import io.rigmesh.libp2p.kad.KademliaMode;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.nio.file.Path;
import java.util.List;

/// The peer-to-peer network.
///
/// @param listen where to listen
/// @param bootstrap peers to connect to first, and again whenever they are lost
/// @param announce where others reach this node, where it cannot find that out by itself
/// @param keyFile the peer's Ed25519 key
/// @param privateNetwork whether this is a network of one's own, on private addresses alone
/// @param mdns whether peers on the local network are found by multicast
/// @param portMapping whether the router is asked (UPnP) to let others in
/// @param relay whether this node passes on others' connections, within limits
/// @param kademlia whether this node keeps records for others: automatic does where it has a public
///   address
/// @param connectionsMax the most connections
/// @param uploadBytesPerSecondMax how fast blobs leave this node, over all peers; 0 for no bound
/// @param offersMax the most providers whose offers are remembered
public record NetworkConfig(
    @Setting(
            value = "/ip4/0.0.0.0/tcp/4070,/ip4/0.0.0.0/udp/4070/quic-v1",
            help = "Multiaddrs to listen on, separated by commas.")
        List<Multiaddr> listen,
    @Setting(
            value = "",
            help = "Peers to connect to first, as multiaddrs that end in /p2p/<peer id>.")
        List<Multiaddr> bootstrap,
    @Setting(
            value = "",
            help = "Multiaddrs at which others reach this node, beside those it finds out itself.")
        List<Multiaddr> announce,
    @Setting(
            value = "keys/peer.key",
            help = "File of the peer's Ed25519 key; made with mode 0600 on the first start.")
        Path keyFile,
    @Setting(
            value = "false",
            help = "Whether this is a network of one's own, on private addresses alone.")
        boolean privateNetwork,
    @Setting(value = "true", help = "Whether peers on the local network are found by multicast.")
        boolean mdns,
    @Setting(value = "true", help = "Whether the router is asked (UPnP) to let others in.")
        boolean portMapping,
    @Setting(
            value = "false",
            help = "Whether this node passes on others' connections, within limits.")
        boolean relay,
    @Setting(
            value = "automatic",
            help =
                "server keeps records for others, client does not, automatic if publicly reached.")
        KademliaMode kademlia,
    @Setting(value = "128", help = "Most connections.") int connectionsMax,
    @Setting(value = "0", help = "How fast blobs leave this node, over all peers; 0 for no bound.")
        long uploadBytesPerSecondMax,
    @Setting(value = "4096", help = "Most providers whose offers are remembered.") int offersMax) {}

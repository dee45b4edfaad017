package io.rigmesh.node.rest;

import io.rigmesh.ledger.chain.ChainHead;
import io.rigmesh.ledger.chain.EndpointHealth;
import io.rigmesh.ledger.channel.ChannelException;
import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.autonat.AddressVerdict;
import io.rigmesh.libp2p.autonat.Reachability;
import io.rigmesh.libp2p.identity.Ed25519PrivateKey;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.node.ChainView;
import io.rigmesh.node.ChannelView;
import io.rigmesh.node.DeviceView;
import io.rigmesh.node.Node;
import io.rigmesh.node.NodeInfo;
import io.rigmesh.node.NodeStats;
import io.rigmesh.node.Readiness;
import io.rigmesh.node.WalletView;
import io.rigmesh.node.Watch;
import io.rigmesh.node.blob.Blobs;
import io.rigmesh.node.blob.FileBlobs;
import io.rigmesh.node.chain.Contracts;
import io.rigmesh.node.config.ConfigLoader;
import io.rigmesh.node.config.NodeConfig;
import io.rigmesh.node.jobs.JobRole;
import io.rigmesh.node.jobs.Jobs;
import io.rigmesh.node.jobs.TransactionView;
import io.rigmesh.node.network.Blames;
import io.rigmesh.node.network.NetworkStats;
import io.rigmesh.node.network.NetworkView;
import io.rigmesh.node.network.PeerView;
import io.rigmesh.node.receipts.Anchors;
import io.rigmesh.node.wallet.Purse;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Digests;
import io.rigmesh.protocol.FolderManifest;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.JobKind;
import io.rigmesh.protocol.Offer;
import io.rigmesh.protocol.Profile;
import io.rigmesh.protocol.RefusalCode;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.scheduler.pricing.Pricing;
import java.math.BigInteger;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Set;

/// A node with jobs in memory and real blobs on disk, for tests of its interfaces.
public final class MemoryNode implements Node {
  private static final Address ACCOUNT = Address.fromHex("0x" + "22".repeat(20));

  private static final PeerId PEER =
      PeerId.of(Ed25519PrivateKey.ofSeed(Digests.sha256(new byte[] {7}).bytes()).publicKey());
  private static final Multiaddr ADDRESS = Multiaddr.of("/ip4/192.0.2.1/tcp/4070");

  private final NodeConfig config;
  private final MemoryJobs jobs = new MemoryJobs();
  private final Blobs blobs;
  private final MemoryWatch watch = new MemoryWatch();
  private volatile boolean chainAway;
  private volatile List<String> reasons = List.of();

  /// A node in a folder, with settings by key.
  public MemoryNode(Path home, Map<String, String> settings) {
    config = ConfigLoader.load(home, Optional.empty(), Map.of(), settings).config();
    blobs = FileBlobs.open(config.blobsFolder(), config.blobs());
  }

  /// Lets the chain be away from now on.
  void loseChain() {
    chainAway = true;
  }

  /// Lets the node be not ready for these reasons.
  void notReady(List<String> why) {
    reasons = why;
  }

  @Override
  public NodeConfig config() {
    return config;
  }

  @Override
  public Jobs jobs() {
    return jobs;
  }

  MemoryJobs memoryJobs() {
    return jobs;
  }

  @Override
  public Blobs blobs() {
    return blobs;
  }

  @Override
  public NodeInfo info() {
    Pricing.Rate rate = new Pricing.Rate(TokenAmount.of(10), TokenAmount.of(20));
    return new NodeInfo(
        "0.1.0",
        ACCOUNT,
        PEER,
        MemoryJobs.DOMAIN,
        Set.of(JobRole.PROVIDER, JobRole.REQUESTER),
        List.of(Profile.F32_V1),
        devices(),
        List.of(Digests.sha256(new byte[] {3})),
        new Pricing(Map.of(JobKind.EMBED, rate, JobKind.TRAIN, rate), TokenAmount.of(1)));
  }

  @Override
  public List<DeviceView> devices() {
    return List.of(
        new DeviceView(
            "cpu",
            "A processor",
            "cpu",
            DeviceView.State.READY,
            "",
            1L << 34,
            1L << 20,
            2,
            List.of(Digests.sha256(new byte[] {4})),
            3,
            5));
  }

  @Override
  public List<Hash> putFolder(FolderManifest manifest) {
    return blobs.putFolder(manifest);
  }

  @Override
  public List<PeerView> peers() {
    return List.of(
        new PeerView(
            PEER,
            ADDRESS,
            Direction.OUTBOUND,
            "rigmesh/0.1.0",
            "/noise",
            "/yamux/1.0.0",
            false,
            3,
            Instant.ofEpochSecond(1_700_000_000),
            Optional.of(new Blames.Blame(1, "it sent a chunk with another hash"))));
  }

  @Override
  public Optional<TokenAmount> stake(Offer offer) {
    return Optional.of(TokenAmount.of(5_000_000));
  }

  @Override
  public List<Offer> offers() {
    return List.of(
        new Offer(
            PEER.toString(),
            List.of(ADDRESS.toString()),
            ACCOUNT,
            List.of(new Offer.Device("A processor", 1L << 34, Profile.F32_V1, 1_000, 0)),
            List.of(
                new Offer.Model(Hash.ZERO, "", JobKind.TRAIN, TokenAmount.of(10), TokenAmount.ZERO),
                new Offer.Model(
                    Digests.sha256(new byte[] {3}),
                    "a model",
                    JobKind.EMBED,
                    TokenAmount.of(10),
                    TokenAmount.ZERO),
                new Offer.Model(
                    Digests.sha256(new byte[] {8}),
                    "a writer",
                    JobKind.GENERATE,
                    TokenAmount.of(10),
                    TokenAmount.of(20)),
                new Offer.Model(
                    Digests.sha256(new byte[] {8}),
                    "a writer",
                    JobKind.TRAIN,
                    TokenAmount.of(10),
                    TokenAmount.ZERO)),
            TokenAmount.of(1),
            "eu",
            1_800_000_000L,
            7));
  }

  @Override
  public NetworkView network() {
    return new NetworkView(
        PEER,
        List.of(ADDRESS),
        List.of(ADDRESS),
        List.of(ADDRESS),
        2,
        1,
        3,
        5,
        Reachability.PUBLIC,
        List.of(
            new AddressVerdict(
                ADDRESS, Reachability.PUBLIC, 2, 0, Instant.ofEpochSecond(1_700_000_000))),
        List.of("a trouble"));
  }

  @Override
  public NetworkView checkNetwork() {
    return network();
  }

  @Override
  public Purse purse() {
    return new MemoryPurse(ACCOUNT, chainAway);
  }

  @Override
  public Anchors anchors() {
    return new MemoryAnchors(ACCOUNT, chainAway);
  }

  @Override
  public Watch watch() {
    return watch;
  }

  @Override
  public ChainView chain() {
    return new ChainView(
        new Contracts(
            31337, ACCOUNT, ACCOUNT, ACCOUNT, ACCOUNT, Optional.of(ACCOUNT), 0, Optional.empty()),
        Optional.of(
            new ChainHead(
                12, Digests.sha256(new byte[] {1}), Digests.sha256(new byte[] {2}), Instant.EPOCH)),
        OptionalDouble.of(1.25),
        Optional.of("a trouble"),
        List.of(
            new EndpointHealth(
                "https://rpc.example",
                EndpointHealth.State.BEHIND,
                10,
                2,
                8,
                Duration.ofMillis(400),
                OptionalLong.of(5),
                OptionalLong.of(7),
                "it is 7 blocks behind another endpoint"),
            new EndpointHealth(
                "https://rpc.example #2",
                EndpointHealth.State.WORKING,
                0,
                0,
                0,
                Duration.ZERO,
                OptionalLong.empty(),
                OptionalLong.empty(),
                "")),
        Optional.of(new ChainView.Socket(false, 3, "wss://rpc.example: it is silent")));
  }

  @Override
  public List<ChannelView> channels() {
    return List.of(
        new ChannelView(
            Digests.sha256(new byte[] {5}),
            JobRole.REQUESTER,
            ACCOUNT,
            "open",
            TokenAmount.of(10),
            TokenAmount.of(1),
            TokenAmount.of(2),
            TokenAmount.of(3),
            TokenAmount.ZERO,
            Optional.of(Instant.EPOCH),
            "because"));
  }

  /// The only one is in use.
  @Override
  public Optional<ChannelView> leaveChannel(Hash channel) {
    if (channels().getFirst().id().equals(channel)) {
      throw new ChannelException("The channel " + channel + " is in use: jobs hold 3 of it.");
    }
    return Optional.empty();
  }

  @Override
  public WalletView wallet() {
    if (chainAway) {
      throw new IllegalStateException("no endpoint answers");
    }
    return new WalletView(
        ACCOUNT,
        BigInteger.TEN.pow(18),
        "rUSD",
        6,
        TokenAmount.of(5_000_000),
        TokenAmount.of(1),
        TokenAmount.ZERO,
        TokenAmount.of(2),
        TokenAmount.of(3),
        TokenAmount.of(4),
        List.of(
            new TransactionView(
                "fund",
                "confirmed",
                Optional.of(Digests.sha256(new byte[] {5})),
                Optional.of(Digests.sha256(new byte[] {6})),
                OptionalLong.of(80_000),
                Instant.ofEpochSecond(1_700_000_000))));
  }

  @Override
  public Readiness readiness() {
    return new Readiness(reasons);
  }

  @Override
  public NodeStats stats() {
    return new NodeStats(
        Map.of(new NodeStats.RoleAndState(JobRole.PROVIDER, "running"), 2L),
        Map.of(RefusalCode.BUSY, 7L),
        Map.of(JobKind.TRAIN, 1_000L),
        Map.of(JobKind.GENERATE, 50L),
        Map.of(JobKind.TRAIN, 12.5),
        3,
        64,
        blobs.usedBytes(),
        OptionalDouble.of(1.25),
        Map.of("fund", 4L, "strange", 1L),
        123_456,
        TokenAmount.of(900),
        TokenAmount.of(100),
        new NetworkStats(2, 1, 3, 4, 5, 65_536, 6, 7_000, 8_000, 9));
  }
}

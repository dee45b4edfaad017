package io.rigmesh.libp2p.kad;

import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.ProtocolId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// How a [Kademlia] node behaves; the defaults are the specification's. Immutable.
public final class KademliaConfig {
  /// The public network's protocol.
  public static final ProtocolId PROTOCOL = new ProtocolId("/ipfs/kad/1.0.0");

  /// How many peers a bucket holds, an answer names, and a record is given to.
  static final int K = 20;

  /// How many peers a lookup asks at a time.
  static final int ALPHA = 10;

  /// How many of the nearest must have answered before a lookup that only refreshes a bucket ends.
  static final int BETA = 3;

  /// How many peers of one IP group a lookup follows as regular ones.
  static final int LOOKUP_GROUP_MAX = 3;

  /// After how many questions a lookup gives up.
  static final int LOOKUP_QUERIES_MAX = 400;

  static final RoutingTable.GroupLimits TABLE_GROUP_LIMITS = new RoutingTable.GroupLimits(2, 3);

  static final ProviderRecords.Limits RECORD_LIMITS =
      new ProviderRecords.Limits(100_000, 256, 10_000);

  private final ProtocolId protocol;
  private final KademliaMode mode;
  private final List<PeerAddress> bootstrapPeers;
  private final Map<String, RecordValidator> validators;
  private final Duration queryTimeout;
  private final Duration lookupTimeout;
  private final Duration streamIdle;
  private final Duration bootstrapInterval;
  private final Duration recordValidity;
  private final Duration addressValidity;
  private final Duration republishInterval;

  private KademliaConfig(Builder builder) {
    this.protocol = builder.protocol;
    this.mode = builder.mode;
    this.bootstrapPeers = List.copyOf(builder.bootstrapPeers);
    this.validators = Map.copyOf(builder.validators);
    this.queryTimeout = builder.queryTimeout;
    this.lookupTimeout = builder.lookupTimeout;
    this.streamIdle = builder.streamIdle;
    this.bootstrapInterval = builder.bootstrapInterval;
    this.recordValidity = builder.recordValidity;
    this.addressValidity = builder.addressValidity;
    this.republishInterval = builder.republishInterval;
  }

  public static Builder builder() {
    return new Builder();
  }

  public ProtocolId protocol() {
    return protocol;
  }

  public KademliaMode mode() {
    return mode;
  }

  public List<PeerAddress> bootstrapPeers() {
    return bootstrapPeers;
  }

  /// By namespace.
  public Map<String, RecordValidator> validators() {
    return validators;
  }

  public Duration queryTimeout() {
    return queryTimeout;
  }

  public Duration lookupTimeout() {
    return lookupTimeout;
  }

  public Duration streamIdle() {
    return streamIdle;
  }

  public Duration bootstrapInterval() {
    return bootstrapInterval;
  }

  public Duration recordValidity() {
    return recordValidity;
  }

  public Duration addressValidity() {
    return addressValidity;
  }

  public Duration republishInterval() {
    return republishInterval;
  }

  /// Sets what differs from the defaults.
  public static final class Builder {
    private ProtocolId protocol = PROTOCOL;
    private KademliaMode mode = KademliaMode.AUTOMATIC;
    private final List<PeerAddress> bootstrapPeers = new ArrayList<>();
    private final Map<String, RecordValidator> validators = new HashMap<>();
    private Duration queryTimeout = Duration.ofSeconds(10);
    private Duration lookupTimeout = Duration.ofMinutes(1);
    private Duration streamIdle = Duration.ofMinutes(1);
    private Duration bootstrapInterval = Duration.ofMinutes(10);
    private Duration recordValidity = Duration.ofDays(2);
    private Duration addressValidity = Duration.ofDays(1);
    private Duration republishInterval = Duration.ofHours(22);

    private Builder() {}

    /// The network's own protocol, such as `/rigmesh/kad/1.0.0`; by default the public network's.
    public Builder protocol(ProtocolId protocol) {
      this.protocol = protocol;
      return this;
    }

    /// By default automatic.
    public Builder mode(KademliaMode mode) {
      this.mode = mode;
      return this;
    }

    /// Peers to begin with, asked again whenever few others are known.
    public Builder bootstrapPeers(List<PeerAddress> peers) {
      bootstrapPeers.addAll(peers);
      return this;
    }

    /// Lets values of a namespace be stored and fetched; all others are refused.
    ///
    /// @param namespace the first part of the key, without slashes
    public Builder validator(String namespace, RecordValidator validator) {
      if (namespace.isEmpty() || namespace.indexOf('/') >= 0) {
        throw new IllegalArgumentException(
            "A namespace is the first part of a key, without slashes: '" + namespace + "'");
      }
      validators.put(namespace, validator);
      return this;
    }

    /// How long one peer may take to answer, its dial included; 10 seconds.
    public Builder queryTimeout(Duration timeout) {
      this.queryTimeout = positive("queryTimeout", timeout);
      return this;
    }

    /// After how long a lookup ends with what it has; 1 minute.
    public Builder lookupTimeout(Duration timeout) {
      this.lookupTimeout = positive("lookupTimeout", timeout);
      return this;
    }

    /// For how long an unused stream stays open; 1 minute.
    public Builder streamIdle(Duration idle) {
      this.streamIdle = positive("streamIdle", idle);
      return this;
    }

    /// How often the routing table is refreshed; 10 minutes.
    public Builder bootstrapInterval(Duration interval) {
      this.bootstrapInterval = positive("bootstrapInterval", interval);
      return this;
    }

    /// For how long provider records told to this node are held; 48 hours.
    public Builder recordValidity(Duration validity) {
      this.recordValidity = positive("recordValidity", validity);
      return this;
    }

    /// For how long the addresses in them are; 24 hours. The specification allows less, but a
    /// provider that is only a client is in no routing table: between two of its announcements
    /// nobody could find it.
    public Builder addressValidity(Duration validity) {
      this.addressValidity = positive("addressValidity", validity);
      return this;
    }

    /// How often this node tells its own records again; 22 hours.
    public Builder republishInterval(Duration interval) {
      this.republishInterval = positive("republishInterval", interval);
      return this;
    }

    public KademliaConfig build() {
      return new KademliaConfig(this);
    }

    private static Duration positive(String name, Duration duration) {
      if (duration.toMillis() <= 0) {
        throw new IllegalArgumentException(
            name + " must be at least a millisecond, not " + duration);
      }
      return duration;
    }
  }
}

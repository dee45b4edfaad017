package io.rigmesh.libp2p.mdns;

import io.rigmesh.libp2p.multiformats.AddressScope;
import java.time.Duration;
import java.util.Set;

/// How peers on the local network are looked for.
///
/// @param serviceName the service all peers share, without the final `.local`'s dot; a network of
///   its own takes a name of its own
/// @param askEvery how often peers are asked for
/// @param scopes which addresses are told and believed: normally private ones only, as loopback
///   addresses mean another machine there and public ones need no multicast
public record MdnsSettings(String serviceName, Duration askEvery, Set<AddressScope> scopes) {
  private static final MdnsSettings DEFAULTS =
      new MdnsSettings("_p2p._udp.local", Duration.ofSeconds(10), Set.of(AddressScope.PRIVATE));

  public MdnsSettings {
    scopes = Set.copyOf(scopes);
    if (askEvery.compareTo(Duration.ofSeconds(1)) < 0) {
      throw new IllegalArgumentException("Peers are asked for at most once a second: " + askEvery);
    }
    if (!serviceName.matches("_[A-Za-z0-9-]{1,62}\\._udp\\.local")) {
      throw new IllegalArgumentException("A service is named like _p2p._udp.local: " + serviceName);
    }
  }

  /// Every peer's service, asked for every ten seconds, private addresses only.
  public static MdnsSettings defaults() {
    return DEFAULTS;
  }

  public MdnsSettings withServiceName(String name) {
    return new MdnsSettings(name, askEvery, scopes);
  }

  public MdnsSettings withScopes(Set<AddressScope> told) {
    return new MdnsSettings(serviceName, askEvery, told);
  }
}

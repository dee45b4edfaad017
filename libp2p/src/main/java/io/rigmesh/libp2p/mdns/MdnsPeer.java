package io.rigmesh.libp2p.mdns;

import com.google.protobuf.ByteString;
import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.AddressPart;
import io.rigmesh.libp2p.multiformats.AddressProtocol;
import io.rigmesh.libp2p.multiformats.AddressScope;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// What a peer answers and understands on multicast DNS (specification discovery/mdns). Pure.
final class MdnsPeer {
  static final String META = "_services._dns-sd._udp.local";

  /// How long others may keep what they are told.
  static final long TTL_SECONDS = 120;

  /// Addresses beyond this are not told, so that an answer fits into one packet.
  static final int TEXT_BYTES_MAX = 640;

  static final int PEERS_PER_MESSAGE_MAX = 8;
  static final int ADDRESSES_PER_PEER_MAX = 32;
  private static final String ATTRIBUTE = "dnsaddr=";

  private final PeerId self;
  private final String service;
  private final String instance;
  private final String hostName;
  private final Set<AddressScope> scopes;

  /// @param name this peer's name on the network: random, at least 32 characters
  MdnsPeer(PeerId self, String name, MdnsSettings settings) {
    this.self = self;
    this.service = settings.serviceName();
    this.instance = name + "." + service;
    this.hostName = name + ".p2p.local";
    this.scopes = settings.scopes();
  }

  DnsMessage ask() {
    return DnsMessage.query(List.of(new DnsMessage.Question(service, DnsMessage.PTR)));
  }

  /// Tells everyone that this peer is leaving.
  DnsMessage goodbye() {
    return DnsMessage.response(List.of(DnsMessage.ptr(service, instance, 0)), List.of());
  }

  /// The answer to a query, when it asks for something of this peer's.
  ///
  /// @param addresses where this host may be reached
  Optional<DnsMessage> answer(DnsMessage query, List<Multiaddr> addresses) {
    List<Multiaddr> told = addresses.stream().filter(this::isTold).distinct().toList();
    if (query.response() || told.isEmpty()) {
      return Optional.empty();
    }
    List<DnsMessage.Answer> hosts = hosts(told);
    DnsMessage.Answer text = text(told);
    DnsMessage.Answer location = DnsMessage.srv(instance, port(told), hostName, TTL_SECONDS);
    Set<DnsMessage.Answer> answers = new LinkedHashSet<>();
    Set<DnsMessage.Answer> additional = new LinkedHashSet<>();
    for (DnsMessage.Question question : query.questions()) {
      if (asks(question, META, DnsMessage.PTR)) {
        answers.add(DnsMessage.ptr(META, service, TTL_SECONDS));
      }
      if (asks(question, service, DnsMessage.PTR)) {
        answers.add(DnsMessage.ptr(service, instance, TTL_SECONDS));
        additional.add(text);
        additional.add(location);
        additional.addAll(hosts);
      }
      if (asks(question, instance, DnsMessage.TXT)) {
        answers.add(text);
      }
      if (asks(question, instance, DnsMessage.SRV)) {
        answers.add(location);
        additional.addAll(hosts);
      }
      for (DnsMessage.Answer host : hosts) {
        if (asks(question, hostName, host.type())) {
          answers.add(host);
        }
      }
    }
    additional.removeAll(answers);
    return answers.isEmpty()
        ? Optional.empty()
        : Optional.of(DnsMessage.response(List.copyOf(answers), List.copyOf(additional)));
  }

  private static boolean asks(DnsMessage.Question question, String name, int type) {
    return (question.type() == type || question.type() == DnsMessage.ANY)
        && DnsMessage.sameName(question.name(), name);
  }

  private boolean isTold(Multiaddr address) {
    return scopes.contains(AddressScope.of(address)) && !address.has(AddressProtocol.P2P_CIRCUIT);
  }

  private DnsMessage.Answer text(List<Multiaddr> told) {
    List<String> strings = new ArrayList<>();
    int bytes = 0;
    for (Multiaddr address : told) {
      String string = ATTRIBUTE + address.withoutPeerId().withPeerId(self);
      bytes += 1 + string.length();
      // A string holds 255 bytes; an address that is longer is not told here.
      if (string.length() <= 255 && bytes <= TEXT_BYTES_MAX) {
        strings.add(string);
      }
    }
    return DnsMessage.txt(instance, strings, TTL_SECONDS);
  }

  private List<DnsMessage.Answer> hosts(List<Multiaddr> told) {
    Map<AddressPart, DnsMessage.Answer> all = new LinkedHashMap<>();
    for (Multiaddr address : told) {
      AddressPart first = address.parts().getFirst();
      if (first.protocol() == AddressProtocol.IP4 || first.protocol() == AddressProtocol.IP6) {
        int type = first.protocol() == AddressProtocol.IP4 ? DnsMessage.A : DnsMessage.AAAA;
        if (all.size() < 4) {
          all.put(
              first,
              new DnsMessage.Answer(
                  hostName, type, true, TTL_SECONDS, ByteString.copyFrom(first.bytes())));
        }
      }
    }
    return List.copyOf(all.values());
  }

  private static int port(List<Multiaddr> told) {
    return told.stream()
        .flatMap(address -> address.parts().stream())
        .filter(part ->
            part.protocol() == AddressProtocol.TCP || part.protocol() == AddressProtocol.UDP)
        .findFirst()
        .map(AddressPart::number)
        .orElse(0);
  }

  /// The other peers that a response tells of, with the addresses that are believed. Strings that
  /// are no addresses of peers are passed over.
  ///
  /// @throws IllegalArgumentException when a record is malformed
  List<PeerAddress> found(DnsMessage response) {
    if (!response.response()) {
      return List.of();
    }
    Set<String> instances = new LinkedHashSet<>();
    for (DnsMessage.Answer record : response.records()) {
      if (record.type() == DnsMessage.PTR
          && record.ttlSeconds() > 0
          && DnsMessage.sameName(record.name(), service)) {
        instances.add(record.target());
      }
    }
    Map<PeerId, Set<Multiaddr>> peers = new LinkedHashMap<>();
    for (DnsMessage.Answer record : response.records()) {
      if (record.type() == DnsMessage.TXT
          && record.ttlSeconds() > 0
          && instances.stream().anyMatch(name -> DnsMessage.sameName(name, record.name()))) {
        record.strings().forEach(string -> collect(string, peers));
      }
    }
    return peers.entrySet().stream()
        .map(entry -> new PeerAddress(entry.getKey(), List.copyOf(entry.getValue())))
        .toList();
  }

  private void collect(String string, Map<PeerId, Set<Multiaddr>> peers) {
    if (!string.startsWith(ATTRIBUTE)) {
      return;
    }
    PeerAddress peer;
    try {
      peer = PeerAddress.of(string.substring(ATTRIBUTE.length()));
    } catch (IllegalArgumentException noPeersAddress) {
      return;
    }
    if (peer.peer().equals(self)
        || (!peers.containsKey(peer.peer()) && peers.size() == PEERS_PER_MESSAGE_MAX)) {
      return;
    }
    for (Multiaddr address : peer.addresses()) {
      Set<Multiaddr> known = peers.computeIfAbsent(peer.peer(), id -> new LinkedHashSet<>());
      if (known.size() < ADDRESSES_PER_PEER_MAX && isTold(address)) {
        known.add(address);
      }
    }
    Set<Multiaddr> usable = peers.get(peer.peer());
    if (usable != null && usable.isEmpty()) {
      peers.remove(peer.peer());
    }
  }
}

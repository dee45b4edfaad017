package io.rigmesh.libp2p.multiformats;

import io.rigmesh.libp2p.identity.PeerId;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// A self-describing network address such as `/ip4/127.0.0.1/udp/4070/quic-v1` (the multiaddr
/// specification). Immutable; equal when the bytes are.
public final class Multiaddr {
  /// Longer addresses are refused.
  public static final int BYTES_MAX = 1024;

  /// No address of [#BYTES_MAX] bytes has a longer text: two bytes can say `/webrtc-direct`.
  private static final int TEXT_LENGTH_MAX = 8 * BYTES_MAX;

  private final List<AddressPart> parts;

  private Multiaddr(List<AddressPart> parts) {
    this.parts = List.copyOf(parts);
  }

  public static Multiaddr of(AddressPart... parts) {
    return new Multiaddr(Arrays.asList(parts));
  }

  /// Reads the text form; a slash at the end is allowed.
  ///
  /// @throws IllegalArgumentException naming the part that is wrong
  public static Multiaddr of(String text) {
    if (!text.startsWith("/")) {
      throw new IllegalArgumentException("A multiaddr starts with '/': " + shown(text));
    }
    if (text.length() > TEXT_LENGTH_MAX) {
      throw new IllegalArgumentException("A multiaddr is too long: " + shown(text));
    }
    String[] words = text.substring(1).split("/");
    List<AddressPart> parts = new ArrayList<>();
    int at = 0;
    while (at < words.length && !(words.length == 1 && words[0].isEmpty())) {
      AddressProtocol protocol = AddressProtocol.byName(words[at]);
      if (protocol == null) {
        throw new IllegalArgumentException(
            "Unknown part '" + shown(words[at]) + "' in the multiaddr " + shown(text));
      }
      at++;
      String value = "";
      if (protocol.form() == AddressProtocol.Form.PATH) {
        value = "/" + String.join("/", Arrays.asList(words).subList(at, words.length));
        at = words.length;
      } else if (protocol.form() != AddressProtocol.Form.NONE) {
        if (at == words.length) {
          throw new IllegalArgumentException(
              "The part '" + protocol.text() + "' lacks its value in " + shown(text));
        }
        value = words[at++];
      }
      parts.add(AddressPart.of(protocol, value));
    }
    return new Multiaddr(parts);
  }

  /// Reads the binary form.
  ///
  /// @throws IllegalArgumentException when it is too long, cut short, or names an unknown part
  public static Multiaddr of(byte[] bytes) {
    if (bytes.length > BYTES_MAX) {
      throw new IllegalArgumentException(
          "A multiaddr of " + bytes.length + " bytes is over " + BYTES_MAX);
    }
    List<AddressPart> parts = new ArrayList<>();
    int at = 0;
    while (at < bytes.length) {
      Varint.Read code = Varint.read(bytes, at);
      AddressProtocol protocol = AddressProtocol.byCode(code.value());
      if (protocol == null) {
        throw new IllegalArgumentException("Unknown part " + code.value() + " in a multiaddr");
      }
      at = code.end();
      long length = protocol.form().bytes;
      if (length < 0) {
        Varint.Read prefix = Varint.read(bytes, at);
        length = prefix.value();
        at = prefix.end();
      }
      if (length > bytes.length - at) {
        throw new IllegalArgumentException(
            "The part '" + protocol.text() + "' of a multiaddr is cut short");
      }
      parts.add(AddressPart.of(protocol, Arrays.copyOfRange(bytes, at, at + (int) length)));
      at += (int) length;
    }
    return new Multiaddr(parts);
  }

  public List<AddressPart> parts() {
    return parts;
  }

  public boolean isEmpty() {
    return parts.isEmpty();
  }

  /// The first part of this protocol.
  public Optional<AddressPart> first(AddressProtocol protocol) {
    return parts.stream().filter(part -> part.protocol() == protocol).findFirst();
  }

  public boolean has(AddressProtocol protocol) {
    return first(protocol).isPresent();
  }

  /// The peer id of a `/p2p/` at the very end.
  public Optional<PeerId> peerId() {
    if (isEmpty() || parts.getLast().protocol() != AddressProtocol.P2P) {
      return Optional.empty();
    }
    return Optional.of(PeerId.of(parts.getLast().bytes()));
  }

  /// This address without the `/p2p/` at its very end, if it has one.
  public Multiaddr withoutPeerId() {
    return peerId().isPresent() ? new Multiaddr(parts.subList(0, parts.size() - 1)) : this;
  }

  /// This address with `/p2p/<peer>` at its end.
  public Multiaddr withPeerId(PeerId peer) {
    return peerId().isPresent()
        ? this
        : then(Multiaddr.of(AddressPart.of(AddressProtocol.P2P, peer.bytes())));
  }

  /// This address with the other's parts behind it.
  public Multiaddr then(Multiaddr other) {
    List<AddressPart> all = new ArrayList<>(parts);
    all.addAll(other.parts);
    return new Multiaddr(all);
  }

  public Multiaddr then(String text) {
    return then(of(text));
  }

  /// The parts from one index to before another.
  public Multiaddr slice(int from, int to) {
    return new Multiaddr(parts.subList(from, to));
  }

  public byte[] bytes() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (AddressPart part : parts) {
      Varint.write(part.protocol().code(), out);
      byte[] value = part.bytes();
      if (part.protocol().form().bytes < 0) {
        Varint.write(value.length, out);
      }
      out.writeBytes(value);
    }
    return out.toByteArray();
  }

  private static String shown(String text) {
    return text.length() <= 120 ? text : text.substring(0, 120) + "...";
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Multiaddr that && parts.equals(that.parts);
  }

  @Override
  public int hashCode() {
    return parts.hashCode();
  }

  @Override
  public String toString() {
    if (parts.isEmpty()) {
      return "/";
    }
    StringBuilder text = new StringBuilder();
    parts.forEach(text::append);
    return text.toString();
  }
}

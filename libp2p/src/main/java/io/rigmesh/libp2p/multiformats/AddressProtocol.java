package io.rigmesh.libp2p.multiformats;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The parts that a multiaddr is made of: code, name and the form of the value (multiaddr's
/// protocols.csv). What is not here is refused as unknown.
public enum AddressProtocol {
  IP4(4, "ip4", Form.IP4),
  TCP(6, "tcp", Form.PORT),
  DCCP(33, "dccp", Form.PORT),
  IP6(41, "ip6", Form.IP6),
  IP6ZONE(42, "ip6zone", Form.TEXT),
  IPCIDR(43, "ipcidr", Form.BYTE),
  DNS(53, "dns", Form.TEXT),
  DNS4(54, "dns4", Form.TEXT),
  DNS6(55, "dns6", Form.TEXT),
  DNSADDR(56, "dnsaddr", Form.TEXT),
  SCTP(132, "sctp", Form.PORT),
  UDP(273, "udp", Form.PORT),
  WEBRTC_DIRECT(280, "webrtc-direct", Form.NONE),
  WEBRTC(281, "webrtc", Form.NONE),
  P2P_CIRCUIT(290, "p2p-circuit", Form.NONE),
  UNIX(400, "unix", Form.PATH),
  P2P(421, "p2p", Form.PEER),
  HTTPS(443, "https", Form.NONE),
  TLS(448, "tls", Form.NONE),
  SNI(449, "sni", Form.TEXT),
  NOISE(454, "noise", Form.NONE),
  QUIC(460, "quic", Form.NONE),
  QUIC_V1(461, "quic-v1", Form.NONE),
  WEBTRANSPORT(465, "webtransport", Form.NONE),
  CERTHASH(466, "certhash", Form.MULTIBASE),
  WS(477, "ws", Form.NONE),
  WSS(478, "wss", Form.NONE),
  HTTP(480, "http", Form.NONE),
  MEMORY(777, "memory", Form.LONG);

  /// How the value of a part stands in bytes and in text.
  enum Form {
    NONE(0),
    BYTE(1),
    PORT(2),
    IP4(4),
    LONG(8),
    IP6(16),
    TEXT(-1),
    PATH(-1),
    PEER(-1),
    MULTIBASE(-1);

    /// Bytes of the value; -1 when a varint length stands before it.
    final int bytes;

    Form(int bytes) {
      this.bytes = bytes;
    }
  }

  private static final Map<Integer, AddressProtocol> BY_CODE = new HashMap<>();
  private static final Map<String, AddressProtocol> BY_NAME = new HashMap<>();

  static {
    for (AddressProtocol protocol : values()) {
      BY_CODE.put(protocol.code, protocol);
      BY_NAME.put(protocol.text, protocol);
    }
    // The name that older software prints.
    BY_NAME.put("ipfs", P2P);
  }

  private final int code;
  private final String text;
  private final Form form;

  AddressProtocol(int code, String text, Form form) {
    this.code = code;
    this.text = text;
    this.form = form;
  }

  /// The multicodec number.
  public int code() {
    return code;
  }

  /// The name as it stands between slashes.
  public String text() {
    return text;
  }

  Form form() {
    return form;
  }

  static @Nullable AddressProtocol byCode(long code) {
    return code > Integer.MAX_VALUE ? null : BY_CODE.get((int) code);
  }

  static @Nullable AddressProtocol byName(String name) {
    return BY_NAME.get(name);
  }
}

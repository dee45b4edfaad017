package io.rigmesh.libp2p.multiformats;

import io.rigmesh.libp2p.identity.PeerId;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;

/// One part of a multiaddr: a protocol and its value. Immutable.
public final class AddressPart {
  private final AddressProtocol protocol;
  private final byte[] value;

  private AddressPart(AddressProtocol protocol, byte[] value) {
    this.protocol = protocol;
    this.value = value;
  }

  /// A part from its binary value.
  ///
  /// @throws IllegalArgumentException when the value does not fit the protocol
  public static AddressPart of(AddressProtocol protocol, byte[] value) {
    int bytes = protocol.form().bytes;
    if (bytes >= 0 && value.length != bytes) {
      throw wrong(protocol, "has " + value.length + " bytes, not " + bytes);
    }
    if (bytes < 0 && value.length == 0) {
      throw wrong(protocol, "is empty");
    }
    switch (protocol.form()) {
      case PEER -> PeerId.of(value);
      case TEXT -> {
        String text = utf8(protocol, value);
        if (text.indexOf('/') >= 0 || text.chars().anyMatch(Character::isISOControl)) {
          throw wrong(protocol, "holds a slash or a control character");
        }
      }
      case PATH -> utf8(protocol, value);
      case NONE, BYTE, PORT, IP4, LONG, IP6, MULTIBASE -> {}
    }
    return new AddressPart(protocol, value.clone());
  }

  /// A part from its text; empty for a protocol without a value.
  ///
  /// @throws IllegalArgumentException when the text does not fit the protocol
  public static AddressPart of(AddressProtocol protocol, String text) {
    return of(protocol, parsed(protocol, text));
  }

  public AddressProtocol protocol() {
    return protocol;
  }

  /// The binary value.
  public byte[] bytes() {
    return value.clone();
  }

  /// The value as text, without the protocol's name.
  public String text() {
    return switch (protocol.form()) {
      case NONE -> "";
      case BYTE -> Integer.toString(value[0] & 0xff);
      case PORT -> Integer.toString(number());
      case LONG -> Long.toUnsignedString(ByteBuffer.wrap(value).getLong());
      case IP4 -> address().getHostAddress();
      case IP6 -> ip6Text();
      case TEXT, PATH -> new String(value, StandardCharsets.UTF_8);
      case PEER -> PeerId.of(value).toString();
      case MULTIBASE -> "u" + Base64.getUrlEncoder().withoutPadding().encodeToString(value);
    };
  }

  /// A port, from 0 to 65535.
  public int number() {
    return ((value[0] & 0xff) << 8) | (value[1] & 0xff);
  }

  /// The address of an `ip4` or `ip6` part.
  public InetAddress address() {
    try {
      return InetAddress.getByAddress(value);
    } catch (UnknownHostException e) {
      throw new IllegalStateException("Not an ip4 or ip6 part: " + this, e);
    }
  }

  private static String utf8(AddressProtocol protocol, byte[] value) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(value)).toString();
    } catch (CharacterCodingException e) {
      throw wrong(protocol, "is not UTF-8");
    }
  }

  private static byte[] parsed(AddressProtocol protocol, String text) {
    return switch (protocol.form()) {
      case NONE -> new byte[0];
      case BYTE -> new byte[] {(byte) number(protocol, text, 255)};
      case PORT -> {
        int port = number(protocol, text, 65535);
        yield new byte[] {(byte) (port >> 8), (byte) port};
      }
      case LONG -> ByteBuffer.allocate(8).putLong(longNumber(protocol, text)).array();
      case IP4 -> ip4(protocol, text);
      case IP6 -> ip6(protocol, text);
      case TEXT, PATH -> text.getBytes(StandardCharsets.UTF_8);
      case PEER -> PeerId.of(text).bytes();
      case MULTIBASE -> multibase(protocol, text);
    };
  }

  private static int number(AddressProtocol protocol, String text, int max) {
    if (!text.isEmpty() && text.length() <= 5 && text.chars().allMatch(c -> c >= '0' && c <= '9')) {
      int number = Integer.parseInt(text);
      if (number <= max) {
        return number;
      }
    }
    throw wrong(protocol, "is not a number from 0 to " + max + ": '" + text + "'");
  }

  private static long longNumber(AddressProtocol protocol, String text) {
    try {
      return Long.parseUnsignedLong(text);
    } catch (NumberFormatException e) {
      throw wrong(protocol, "is not a number: '" + text + "'");
    }
  }

  private static byte[] ip4(AddressProtocol protocol, String text) {
    String[] words = text.split("\\.", -1);
    if (words.length != 4) {
      throw wrong(protocol, "is not an IPv4 address: '" + text + "'");
    }
    byte[] out = new byte[4];
    for (int i = 0; i < 4; i++) {
      out[i] = (byte) number(protocol, words[i], 255);
    }
    return out;
  }

  private static byte[] ip6(AddressProtocol protocol, String text) {
    if (text.indexOf(':') < 0
        || !text.chars().allMatch(c -> ":.0123456789abcdefABCDEF".indexOf(c) >= 0)) {
      throw wrong(protocol, "is not an IPv6 address: '" + text + "'");
    }
    try {
      byte[] bytes = InetAddress.ofLiteral(text).getAddress();
      // The JDK turns ::ffff:a.b.c.d into IPv4.
      if (bytes.length == 4) {
        byte[] mapped = new byte[16];
        mapped[10] = (byte) 0xff;
        mapped[11] = (byte) 0xff;
        System.arraycopy(bytes, 0, mapped, 12, 4);
        return mapped;
      }
      return bytes;
    } catch (IllegalArgumentException e) {
      throw wrong(protocol, "is not an IPv6 address: '" + text + "'");
    }
  }

  /// The shortest form of RFC 5952: the first longest run of two or more zero groups becomes `::`.
  private String ip6Text() {
    int[] groups = new int[8];
    for (int i = 0; i < 8; i++) {
      groups[i] = ((value[2 * i] & 0xff) << 8) | (value[2 * i + 1] & 0xff);
    }
    int bestStart = -1;
    int bestLength = 1;
    for (int start = 0; start < 8; start++) {
      int length = 0;
      while (start + length < 8 && groups[start + length] == 0) {
        length++;
      }
      if (length > bestLength) {
        bestStart = start;
        bestLength = length;
      }
    }
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 8; i++) {
      if (i == bestStart) {
        text.append("::");
        i += bestLength - 1;
      } else {
        if (!text.isEmpty() && text.charAt(text.length() - 1) != ':') {
          text.append(':');
        }
        text.append(Integer.toHexString(groups[i]));
      }
    }
    return text.toString();
  }

  private static byte[] multibase(AddressProtocol protocol, String text) {
    try {
      if (text.startsWith("u")) {
        return Base64.getUrlDecoder().decode(text.substring(1));
      }
      if (text.startsWith("b")) {
        return Base32.decode(text.substring(1));
      }
      if (text.startsWith("z")) {
        return Base58.decode(text.substring(1));
      }
    } catch (IllegalArgumentException e) {
      throw wrong(protocol, "is not multibase text: " + e.getMessage());
    }
    throw wrong(protocol, "is not multibase text of base64url, base32 or base58");
  }

  private static IllegalArgumentException wrong(AddressProtocol protocol, String what) {
    return new IllegalArgumentException("The value of '" + protocol.text() + "' " + what);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof AddressPart that
        && protocol == that.protocol
        && Arrays.equals(value, that.value);
  }

  @Override
  public int hashCode() {
    return 31 * protocol.hashCode() + Arrays.hashCode(value);
  }

  @Override
  public String toString() {
    String text = text();
    if (protocol.form() == AddressProtocol.Form.PATH) {
      return "/" + protocol.text() + text;
    }
    return "/" + protocol.text() + (protocol.form() == AddressProtocol.Form.NONE ? "" : "/" + text);
  }
}

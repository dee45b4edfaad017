package io.rigmesh.protocol;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A value of an EIP-712 struct type: what a wallet shows in words before it signs, and what is
/// hashed when it does. One definition gives the struct hash, the digest and the JSON of
/// `eth_signTypedData_v4`.
public final class TypedData {
  private static final StructType DOMAIN =
      StructType.parse(
          "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");

  /// The separator that was asked for last: nearly everything that a node signs or checks is for
  /// one contract, and a separator is three times the work of a digest.
  private static volatile Separator last = new Separator(new Domain(1, Address.ZERO));

  private final StructType type;
  private final List<Object> values;

  TypedData(StructType type, Object... values) {
    if (values.length != type.members().size()) {
      throw new IllegalArgumentException(
          type.name() + " has " + type.members().size() + " members");
    }
    this.type = type;
    this.values = List.of(values);
  }

  /// `hashStruct` of EIP-712.
  public Hash structHash() {
    List<byte[]> words = new ArrayList<>();
    words.add(type.typeHash().bytes());
    for (int i = 0; i < values.size(); i++) {
      words.add(word(type.members().get(i).type(), values.get(i)));
    }
    return Digests.keccak256(words.toArray(byte[][]::new));
  }

  /// The digest that is signed: `keccak256(0x1901 || domain separator || struct hash)`.
  public Hash digest(Domain domain) {
    return Digests.keccak256(
        new byte[] {0x19, 0x01}, separator(domain).bytes(), structHash().bytes());
  }

  /// The domain separator of EIP-712.
  public static Hash separator(Domain domain) {
    Separator known = last;
    if (!known.domain.equals(domain)) {
      known = new Separator(domain);
      last = known;
    }
    return known.hash;
  }

  /// A domain and its separator.
  private record Separator(Domain domain, Hash hash) {
    Separator(Domain domain) {
      this(domain, domainData(domain).structHash());
    }
  }

  /// The document that wallets take (`eth_signTypedData_v4`, `cast wallet sign --data`), as nested
  /// maps and lists.
  public Map<String, Object> document(Domain domain) {
    Map<String, Object> types = new LinkedHashMap<>();
    types.put(DOMAIN.name(), members(DOMAIN));
    types.put(type.name(), members(type));
    type.references().forEach(r -> types.put(r.name(), members(r)));
    Map<String, Object> document = new LinkedHashMap<>();
    document.put("types", types);
    document.put("primaryType", type.name());
    document.put("domain", domainData(domain).message());
    document.put("message", message());
    return document;
  }

  private static TypedData domainData(Domain domain) {
    return new TypedData(
        DOMAIN,
        Domain.NAME,
        Domain.VERSION,
        BigInteger.valueOf(domain.chainId()),
        domain.verifyingContract());
  }

  private static List<Map<String, String>> members(StructType type) {
    return type.members().stream()
        .map(m -> {
          Map<String, String> member = new LinkedHashMap<>();
          member.put("name", m.name());
          member.put("type", m.type());
          return member;
        })
        .toList();
  }

  private Map<String, Object> message() {
    Map<String, Object> message = new LinkedHashMap<>();
    for (int i = 0; i < values.size(); i++) {
      message.put(type.members().get(i).name(), plain(values.get(i)));
    }
    return message;
  }

  private static Object plain(Object value) {
    return switch (value) {
      case String s -> s;
      case Hash h -> h.hex();
      case Address a -> a.hex();
      case Long l -> Long.toUnsignedString(l);
      case BigInteger n -> n.toString();
      case byte[] b -> "0x" + HexFormat.of().formatHex(b);
      case TypedData t -> t.message();
      case List<?> l -> l.stream().map(TypedData::plain).toList();
      default -> throw new IllegalArgumentException("no typed-data form of " + value.getClass());
    };
  }

  private static byte[] word(String memberType, Object value) {
    return switch (value) {
      case String s -> Digests.keccak256(s.getBytes(StandardCharsets.UTF_8)).bytes();
      case byte[] b -> Digests.keccak256(b).bytes();
      case Hash h -> h.bytes();
      case Address a -> Words.address(a);
      case Long l -> Words.uint64(l);
      case BigInteger n -> Words.uint256(n);
      case TypedData t -> t.structHash().bytes();
      case List<?> l -> {
        String element = memberType.substring(0, memberType.length() - 2);
        yield Digests.keccak256(l.stream().map(e -> word(element, e)).toArray(byte[][]::new))
            .bytes();
      }
      default -> throw new IllegalArgumentException("no typed-data form of " + value.getClass());
    };
  }
}

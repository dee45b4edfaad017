package io.rigmesh.protocol;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;

/// A struct type of EIP-712: its name, its members in order, and the struct types that its members
/// refer to.
///
/// @param name the type's name
/// @param members the members, in the order in which they are encoded
/// @param references the struct types named by members, each once
/// @param typeHash Keccak-256 of the encoded type
record StructType(String name, List<Member> members, List<StructType> references, Hash typeHash) {
  /// One member.
  ///
  /// @param type the Solidity type: `string`, `bytes`, `bytes32`, `address`, `uint64`, `uint256`, a
  ///   struct, or `T[]`
  /// @param name the member's name
  record Member(String type, String name) {}

  /// Reads the form that EIP-712 itself writes: `Job(string kind,bytes32 model)`.
  static StructType parse(String text, StructType... references) {
    int open = text.indexOf('(');
    List<Member> members = new ArrayList<>();
    for (String member : text.substring(open + 1, text.length() - 1).split(",")) {
      int space = member.indexOf(' ');
      members.add(new Member(member.substring(0, space), member.substring(space + 1)));
    }
    String name = text.substring(0, open);
    Hash typeHash =
        Digests.keccak256(encoded(name, members, references).getBytes(StandardCharsets.UTF_8));
    return new StructType(name, List.copyOf(members), List.of(references), typeHash);
  }

  /// `encodeType` of EIP-712: this type, then its references in alphabetical order.
  private static String encoded(String name, List<Member> members, StructType[] references) {
    return own(name, members)
        + Arrays.stream(references)
            .sorted(Comparator.comparing(StructType::name))
            .map(r -> own(r.name, r.members))
            .collect(Collectors.joining());
  }

  StructType reference(String wanted) {
    return references.stream().filter(r -> r.name.equals(wanted)).findFirst().orElseThrow();
  }

  private static String own(String name, List<Member> members) {
    return name
        + members.stream()
            .map(m -> m.type + " " + m.name)
            .collect(Collectors.joining(",", "(", ")"));
  }
}

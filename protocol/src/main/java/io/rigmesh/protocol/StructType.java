package io.rigmesh.protocol;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;

/// A struct type of EIP-712: its name, its members in order, and the struct types that its members
/// refer to.
///
/// @param name the type's name
/// @param members the members, in the order in which they are encoded
/// @param references the struct types named by members, each once
record StructType(String name, List<Member> members, List<StructType> references) {
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
    return new StructType(text.substring(0, open), List.copyOf(members), List.of(references));
  }

  /// `encodeType` of EIP-712: this type, then its references in alphabetical order.
  String encoded() {
    return own()
        + references.stream()
            .sorted(Comparator.comparing(StructType::name))
            .map(StructType::own)
            .collect(Collectors.joining());
  }

  Hash typeHash() {
    return Digests.keccak256(encoded().getBytes(StandardCharsets.UTF_8));
  }

  StructType reference(String wanted) {
    return references.stream().filter(r -> r.name.equals(wanted)).findFirst().orElseThrow();
  }

  private String own() {
    return name
        + members.stream()
            .map(m -> m.type + " " + m.name)
            .collect(Collectors.joining(",", "(", ")"));
  }
}

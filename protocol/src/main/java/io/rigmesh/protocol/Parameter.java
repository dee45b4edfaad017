package io.rigmesh.protocol;

/// One named setting of a job, in the words that a wallet shows.
///
/// @param name the setting
/// @param value its one canonical spelling
public record Parameter(String name, String value) {
  static final StructType TYPE = StructType.parse("Parameter(string name,string value)");

  TypedData typedData() {
    return new TypedData(TYPE, name, value);
  }
}

package io.rigmesh.worker.selftest;

import io.rigmesh.protocol.Profile;
import java.util.List;

/// What a device did and how long it took, before anybody asks to see any of it: the hashes bind it
/// to its results.
///
/// @param device its name
/// @param memoryTotalBytes the memory that it has in all
/// @param challenge what it was asked
/// @param fillSeconds how long filling the memory took
/// @param passBytes the bytes that one pass read and wrote
/// @param passSeconds the time of the fastest pass
/// @param products the matrix products, one entry a profile
public record SelfTestReport(
    String device,
    long memoryTotalBytes,
    Challenge challenge,
    double fillSeconds,
    long passBytes,
    double passSeconds,
    List<Products> products) {
  /// Copies the list.
  public SelfTestReport {
    products = List.copyOf(products);
  }

  /// The products of one profile.
  ///
  /// @param profile the arithmetic
  /// @param seconds the time of all of them
  /// @param sha256 of each result's bytes, little-endian
  public record Products(Profile profile, double seconds, List<String> sha256) {
    /// Copies the list.
    public Products {
      sha256 = List.copyOf(sha256);
    }
  }

  /// Bytes a second that memory gives and takes.
  public double bytesPerSecond() {
    return passBytes / passSeconds;
  }

  /// Multiplications and additions a second in a profile.
  public double operationsPerSecond(Profile profile) {
    Products of =
        products.stream()
            .filter(entry -> entry.profile() == profile)
            .findFirst()
            .orElseThrow(() -> new SelfTestException("the report has no products in " + profile));
    return challenge.operations() * of.sha256().size() / of.seconds();
  }
}

package io.rigmesh.scheduler.matching;

import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.JobKind;
import io.rigmesh.protocol.Offer;
import io.rigmesh.protocol.Profile;
import io.rigmesh.protocol.TokenAmount;
import java.util.List;

/// Offers for tests.
final class Offers {
  private Offers() {}

  static Address account(int number) {
    return Address.fromHex("0x" + "%040x".formatted(number));
  }

  static Offer.Model model(Hash root, JobKind kind, long in, long out) {
    return new Offer.Model(root, "", kind, TokenAmount.of(in), TokenAmount.of(out));
  }

  static Offer.Device device(long memoryBytes, long megaflops) {
    return new Offer.Device("CPU", memoryBytes, Profile.F32_V1, megaflops, 0);
  }

  static Offer offer(
      int number,
      long validUntil,
      long sequence,
      List<Offer.Device> devices,
      Offer.Model... models) {
    return new Offer(
        "peer" + number,
        List.of("/ip4/192.0.2.1/tcp/4070"),
        account(number),
        devices,
        List.of(models),
        TokenAmount.of(1),
        "",
        validUntil,
        sequence);
  }
}

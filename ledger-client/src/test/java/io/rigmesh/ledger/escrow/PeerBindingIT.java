package io.rigmesh.ledger.escrow;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.ledger.Party;
import io.rigmesh.ledger.dev.Deployment;
import io.rigmesh.ledger.dev.DevChain;
import io.rigmesh.ledger.dev.DevDeployment;
import io.rigmesh.ledger.dev.TestChain;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Address;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.security.spec.X509EncodedKeySpec;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Peers bound to accounts on a real chain. Here a peer's id is its Ed25519 key in X.509 form.
class PeerBindingIT {
  @TempDir Path folder;

  private static final PeerKeys KEYS =
      (peerId, text, signature) -> {
        try {
          Signature check = Signature.getInstance("Ed25519");
          check.initVerify(
              KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(peerId)));
          check.update(text);
          return check.verify(signature);
        } catch (GeneralSecurityException e) {
          return false;
        }
      };

  private static PeerBinding sign(KeyPair peer, byte[] text) throws GeneralSecurityException {
    Signature signing = Signature.getInstance("Ed25519");
    signing.initSign(peer.getPrivate());
    signing.update(text);
    return new PeerBinding(peer.getPublic().getEncoded(), signing.sign());
  }

  @Test
  void aPeerIsItsAccountsOnlyWhereBothSaySo() throws GeneralSecurityException {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("Ed25519");
    KeyPair peer = generator.generateKeyPair();
    KeyPair other = generator.generateKeyPair();
    try (DevChain chain = TestChain.start()) {
      AccountKey key = AccountKey.generate();
      chain.setBalance(key.address(), BigInteger.TEN.pow(18));
      try (Party party = Party.open(key, folder.resolve("party.db"), chain)) {
        Deployment deployment = DevDeployment.standard().deploy(party.sender(), Party.TIMEOUT);
        RegistryClient registry = party.registry(deployment);
        Address account = party.address();
        assertThat(registry.peerOf(account, KEYS)).isEmpty();

        byte[] text = PeerBinding.text(31_337, deployment.registry(), account);
        PeerBinding binding = sign(peer, text);
        assertThat(registry.bindPeer(binding)).isPresent();
        assertThat(registry.peerOf(account, KEYS).orElseThrow())
            .isEqualTo(peer.getPublic().getEncoded());
        assertThat(registry.bindPeer(binding)).as("it is there already").isEmpty();

        // A binding that the peer signed for another account, chain or registry is none.
        for (byte[] false1 :
            new byte[][] {
              PeerBinding.text(1, deployment.registry(), account),
              PeerBinding.text(31_337, deployment.escrow(), account),
              PeerBinding.text(31_337, deployment.registry(), deployment.escrow())
            }) {
          assertThat(registry.bindPeer(sign(other, false1))).isPresent();
          assertThat(registry.peerOf(account, KEYS)).isEmpty();
        }
        assertThat(registry.bindPeer(binding)).as("bound again").isPresent();
        assertThat(registry.peerOf(account, KEYS)).isPresent();
      }
    }
  }

  @Test
  void theTextIsOfAFixedForm() {
    Address registry = Address.fromHex("0x" + "11".repeat(20));
    Address account = Address.fromHex("0x" + "22".repeat(20));
    assertThat(HexFormat.of().formatHex(PeerBinding.text(31_337, registry, account)))
        .isEqualTo(
            HexFormat.of().formatHex("rigmesh-peer-binding-v1".getBytes(StandardCharsets.US_ASCII))
                + "0000000000007a69"
                + "11".repeat(20)
                + "22".repeat(20));
  }
}

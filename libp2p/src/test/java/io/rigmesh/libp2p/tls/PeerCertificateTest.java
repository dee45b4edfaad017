package io.rigmesh.libp2p.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.rigmesh.libp2p.identity.Ed25519PrivateKey;
import io.rigmesh.libp2p.identity.KeyType;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.identity.PublicKey;
import java.math.BigInteger;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.SecureRandom;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.HexFormat;
import java.util.List;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DERNull;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.junit.jupiter.api.Test;

/// The test vectors of the tls specification, and each rule broken alone.
class PeerCertificateTest {
  private static final String ED25519 =
      "308201ae30820156a0030201020204499602d2300a06082a8648ce3d040302302031123010060355040a1309"
          + "6c69627032702e696f310a300806035504051301313020170d3735303130313133303030305a180f34303936"
          + "303130313133303030305a302031123010060355040a13096c69627032702e696f310a300806035504051301"
          + "313059301306072a8648ce3d020106082a8648ce3d030107034200040c901d423c831ca85e27c73c263ba132"
          + "721bb9d7a84c4f0380b2a6756fd601331c8870234dec878504c174144fa4b14b66a651691606d8173e55bd37"
          + "e381569ea37c307a3078060a2b0601040183a25a0101046a3068042408011220a77f1d92fedb59dddaea5a1c"
          + "4abd1ac2fbde7d7b879ed364501809923d7c11b90440d90d2769db992d5e6195dbb08e706b6651e024fda6cf"
          + "b8846694a435519941cac215a8207792e42849cccc6cd8136c6e4bde92a58c5e08cfd4206eb5fe0bf909300a"
          + "06082a8648ce3d0403020346003043021f50f6b6c52711a881778718238f650c9fb48943ae6ee6d28427dc60"
          + "71ae55e702203625f116a7a454db9c56986c82a25682f7248ea1cb764d322ea983ed36a31b77";

  private static final String ECDSA =
      "308201f63082019da0030201020204499602d2300a06082a8648ce3d040302302031123010060355040a1309"
          + "6c69627032702e696f310a300806035504051301313020170d3735303130313133303030305a180f34303936"
          + "303130313133303030305a302031123010060355040a13096c69627032702e696f310a300806035504051301"
          + "313059301306072a8648ce3d020106082a8648ce3d030107034200040c901d423c831ca85e27c73c263ba132"
          + "721bb9d7a84c4f0380b2a6756fd601331c8870234dec878504c174144fa4b14b66a651691606d8173e55bd37"
          + "e381569ea381c23081bf3081bc060a2b0601040183a25a01010481ad3081aa045f0803125b3059301306072a"
          + "8648ce3d020106082a8648ce3d03010703420004bf30511f909414ebdd3242178fd290f093a551cf75c97315"
          + "5de0bb5a96fedf6cb5d52da7563e794b512f66e60c7f55ba8a3acf3dd72a801980d205e8a1ad29f204473045"
          + "0220064ea8124774caf8f50e57f436aa62350ce652418c019df5d98a3ac666c9386a022100aa59d704a931b5"
          + "f72fb9222cb6cc51f954d04a4e2e5450f8805fe8918f71eaae300a06082a8648ce3d04030203470030440220"
          + "799395b0b6c1e940a7e4484705f610ab51ed376f19ff9d7c16757cfbf61b8d4302206205c03fbb0f95205c77"
          + "9be86581d3e31c01871ad5d1f3435bcf375cb0e5088a";

  private static final String SECP256K1 =
      "308201ba3082015fa0030201020204499602d2300a06082a8648ce3d040302302031123010060355040a1309"
          + "6c69627032702e696f310a300806035504051301313020170d3735303130313133303030305a180f34303936"
          + "303130313133303030305a302031123010060355040a13096c69627032702e696f310a300806035504051301"
          + "313059301306072a8648ce3d020106082a8648ce3d030107034200040c901d423c831ca85e27c73c263ba132"
          + "721bb9d7a84c4f0380b2a6756fd601331c8870234dec878504c174144fa4b14b66a651691606d8173e55bd37"
          + "e381569ea38184308181307f060a2b0601040183a25a01010471306f0425080212210206dc6968726765b820"
          + "f050263ececf7f71e4955892776c0970542efd689d2382044630440220145e15a991961f0d08cd15425bb95e"
          + "c93f6ffa03c5a385eedc34ecf464c7a8ab022026b3109b8a3f40ef833169777eb2aa337cfb6282f188de0666"
          + "d1bcec2a4690dd300a06082a8648ce3d0403020349003046022100e1a217eeef9ec9204b3f774a08b7084964"
          + "6b6a1e6b8b27f93dc00ed58545d9fe022100b00dafa549d0f03547878338c7b15e7502888f6d45db387e5ae6"
          + "b5d46899cef0";

  private static final String INVALID =
      "308201f73082019da0030201020204499602d2300a06082a8648ce3d040302302031123010060355040a1309"
          + "6c69627032702e696f310a300806035504051301313020170d3735303130313133303030305a180f34303936"
          + "303130313133303030305a302031123010060355040a13096c69627032702e696f310a300806035504051301"
          + "313059301306072a8648ce3d020106082a8648ce3d030107034200040c901d423c831ca85e27c73c263ba132"
          + "721bb9d7a84c4f0380b2a6756fd601331c8870234dec878504c174144fa4b14b66a651691606d8173e55bd37"
          + "e381569ea381c23081bf3081bc060a2b0601040183a25a01010481ad3081aa045f0803125b3059301306072a"
          + "8648ce3d020106082a8648ce3d03010703420004bf30511f909414ebdd3242178fd290f093a551cf75c97315"
          + "5de0bb5a96fedf6cb5d52da7563e794b512f66e60c7f55ba8a3acf3dd72a801980d205e8a1ad29f204473045"
          + "022100bb6e03577b7cc7a3cd1558df0da2b117dfdcc0399bc2504ebe7de6f65cade72802206de96e2a5be9b6"
          + "202adba24ee0362e490641ac45c240db71fe955f2c5cf8df6e300a06082a8648ce3d04030203480030450221"
          + "00e847f267f43717358f850355bdcabbefb2cfbf8a3c043b203a14788a092fe8db022027c1d04a2d41fd6b57"
          + "a7e8b3989e470325de4406e52e084e34a3fd56eef0d0df";

  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
  private static final SecureRandom RANDOM = new SecureRandom();

  private final Ed25519PrivateKey host = Ed25519PrivateKey.generate(RANDOM);

  @Test
  void authenticatesTheEd25519PeerOfTheSpecification() throws CertificateException {
    PublicKey key = verify(ED25519);
    assertThat(key.type()).isEqualTo(KeyType.ED25519);
    assertThat(PeerId.of(key)).hasToString("12D3KooWM6CgA9iBFZmcYAHA6A2qvbAxqfkmrYiRQuz3XEsk4Ksv");
  }

  @Test
  void authenticatesTheEcdsaPeerOfTheSpecification() throws CertificateException {
    PublicKey key = verify(ECDSA);
    assertThat(key.type()).isEqualTo(KeyType.ECDSA);
    assertThat(PeerId.of(key)).hasToString("QmfXbAwNjJLXfesgztEHe8HwgVDCMMpZ9Eax1HYq6hn9uE");
  }

  @Test
  void authenticatesTheSecp256k1PeerOfTheSpecification() throws CertificateException {
    PublicKey key = verify(SECP256K1);
    assertThat(key.type()).isEqualTo(KeyType.SECP256K1);
    assertThat(PeerId.of(key)).hasToString("16Uiu2HAkutTMoTzDw1tCvSRtu6YoixJwS46S1ZFxW8hSx9fWHiPs");
  }

  @Test
  void refusesTheInvalidCertificateOfTheSpecification() {
    assertThatThrownBy(() -> verify(INVALID))
        .isInstanceOf(CertificateException.class)
        .hasMessageContaining("signature");
  }

  @Test
  void anIssuedCertificateAuthenticatesItsHost() throws Exception {
    HostCertificate issued = HostCertificate.issue(host);
    PublicKey key =
        PeerCertificate.verify(List.of(issued.certificate().getEncoded()), Instant.now());
    assertThat(key).isEqualTo(host.publicKey());
    issued.certificate().verify(issued.certificate().getPublicKey());
  }

  @Test
  void refusesNoCertificateAndMoreThanOne() throws Exception {
    byte[] der = HostCertificate.issue(host).certificate().getEncoded();
    assertThatThrownBy(() -> PeerCertificate.verify(List.of(), NOW))
        .hasMessageContaining("0 certificates");
    assertThatThrownBy(() -> PeerCertificate.verify(List.of(der, der), NOW))
        .hasMessageContaining("2 certificates");
  }

  @Test
  void refusesACertificateBeforeAndAfterItsTime() throws Exception {
    byte[] der = new Forge().build();
    Instant from = NOW.minus(Duration.ofHours(1));
    Instant to = NOW.plus(Duration.ofHours(1));
    assertThat(PeerCertificate.verify(List.of(der), from)).isEqualTo(host.publicKey());
    assertThat(PeerCertificate.verify(List.of(der), to)).isEqualTo(host.publicKey());
    assertThatThrownBy(() -> PeerCertificate.verify(List.of(der), from.minusSeconds(1)))
        .hasMessageContaining("valid only from");
    assertThatThrownBy(() -> PeerCertificate.verify(List.of(der), to.plusSeconds(1)))
        .hasMessageContaining("expired");
  }

  @Test
  void refusesACertificateSignedByAnotherKey() throws Exception {
    Forge forge = new Forge();
    forge.signer = ec();
    assertRefused(forge, "not signed by its own key");
  }

  @Test
  void refusesAnIdentityThatSignedAnotherCertificateKey() throws Exception {
    Forge forge = new Forge();
    forge.identity = SignedKey.sign(host, ec().getPublic().getEncoded()).der();
    assertRefused(forge, "signature is not the host key's");
  }

  @Test
  void refusesAnIdentityOfAnotherHostThanTheSigner() throws Exception {
    Forge forge = new Forge();
    SignedKey own = SignedKey.sign(host, forge.pair.getPublic().getEncoded());
    ByteString other = ByteString.copyFrom(Ed25519PrivateKey.generate(RANDOM).publicKey().bytes());
    forge.identity = new SignedKey(other, own.signature()).der();
    assertRefused(forge, "signature is not the host key's");
  }

  @Test
  void refusesACertificateWithoutTheExtension() throws Exception {
    Forge forge = new Forge();
    forge.identity = null;
    assertRefused(forge, "lacks the libp2p extension");
  }

  @Test
  void refusesAMalformedExtension() throws Exception {
    Forge forge = new Forge();
    forge.identity = DERNull.INSTANCE.getEncoded();
    assertRefused(forge, "malformed");
    forge.identity =
        new SignedKey(ByteString.copyFrom(new byte[] {8, 1, 18, 1, 7}), ByteString.EMPTY).der();
    assertRefused(forge, "32 bytes");
  }

  @Test
  void acceptsTheExtensionAsCriticalAndOthersThatAreNot() throws Exception {
    Forge forge = new Forge();
    forge.identityCritical = true;
    forge.otherCritical = false;
    assertThat(PeerCertificate.verify(List.of(forge.build()), NOW)).isEqualTo(host.publicKey());
  }

  @Test
  void refusesAnUnknownCriticalExtension() throws Exception {
    Forge forge = new Forge();
    forge.otherCritical = true;
    assertRefused(forge, "critical extension that is not known: 1.2.3.4");
  }

  @Test
  void refusesUniqueIds() throws Exception {
    Forge forge = new Forge();
    forge.uniqueId = true;
    assertRefused(forge, "unique id");
  }

  @Test
  void refusesSha1() throws Exception {
    Forge forge = new Forge();
    forge.algorithm = "SHA1withECDSA";
    assertRefused(forge, "algorithm that is not accepted");
  }

  @Test
  void refusesWhatIsNoCertificate() {
    assertThatThrownBy(() -> PeerCertificate.verify(List.of(new byte[] {0x30, 0x03, 1}), NOW))
        .isInstanceOf(CertificateException.class)
        .hasMessageContaining("malformed");
    assertThatThrownBy(
            () -> PeerCertificate.verify(List.of(new byte[PeerCertificate.BYTES_MAX + 1]), NOW))
        .hasMessageContaining("is over");
  }

  @Test
  void everyFlippedByteIsRefused() throws Exception {
    byte[] der = new Forge().build();
    for (int i = 0; i < der.length; i++) {
      byte[] flipped = der.clone();
      flipped[i] ^= 1;
      assertThatThrownBy(() -> PeerCertificate.verify(List.of(flipped), NOW))
          .as("byte %d", i)
          .isInstanceOf(CertificateException.class);
    }
  }

  @Test
  void aVerificationExpectsItsPeer() throws Exception {
    HostCertificate issued = HostCertificate.issue(host);
    PeerId other = PeerId.of(Ed25519PrivateKey.generate(RANDOM).publicKey());
    PeerVerification right = new PeerVerification(PeerId.of(host.publicKey()));
    right.verify(new X509Certificate[] {issued.certificate()});
    assertThat(right.remoteKey()).isEqualTo(host.publicKey());
    PeerVerification wrong = new PeerVerification(other);
    assertThatThrownBy(() -> wrong.verify(new X509Certificate[] {issued.certificate()}))
        .hasMessageContaining("not the expected " + other);
    assertThatThrownBy(wrong::remoteKey).hasMessageContaining("not the expected " + other);
  }

  private static PublicKey verify(String hex) throws CertificateException {
    return PeerCertificate.verify(List.of(HexFormat.of().parseHex(hex)), NOW);
  }

  private static void assertRefused(Forge forge, String reason) throws Exception {
    byte[] der = forge.build();
    assertThatThrownBy(() -> PeerCertificate.verify(List.of(der), NOW))
        .isInstanceOf(CertificateException.class)
        .hasMessageContaining(reason);
  }

  private static KeyPair ec() throws Exception {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
    generator.initialize(256);
    return generator.generateKeyPair();
  }

  /// Makes certificates that break one rule each; what it makes untouched is valid for an hour
  /// around `NOW`.
  private final class Forge {
    final KeyPair pair = ec();
    KeyPair signer = pair;
    byte[] identity = SignedKey.sign(host, pair.getPublic().getEncoded()).der();
    boolean identityCritical;
    Boolean otherCritical;
    boolean uniqueId;
    String algorithm = "SHA256withECDSA";

    Forge() throws Exception {}

    byte[] build() throws Exception {
      X500Name name = new X500Name("O=libp2p.io");
      X509v3CertificateBuilder builder =
          new X509v3CertificateBuilder(
              name,
              BigInteger.TWO,
              Date.from(NOW.minus(Duration.ofHours(1))),
              Date.from(NOW.plus(Duration.ofHours(1))),
              name,
              SubjectPublicKeyInfo.getInstance(pair.getPublic().getEncoded()));
      if (identity != null) {
        builder.addExtension(SignedKey.OID, identityCritical, identity);
      }
      if (otherCritical != null) {
        builder.addExtension(new ASN1ObjectIdentifier("1.2.3.4"), otherCritical, DERNull.INSTANCE);
      }
      if (uniqueId) {
        builder.setSubjectUniqueID(
            new boolean[] {true, false, true, true, false, true, true, true});
      }
      return builder
          .build(new JcaContentSignerBuilder(algorithm).build(signer.getPrivate()))
          .getEncoded();
    }
  }
}

package io.rigmesh.libp2p.tls;

import java.net.Socket;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.Set;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedKeyManager;
import org.jspecify.annotations.Nullable;

/// Shows the host's one certificate to whoever accepts its kind of key, as libp2p peers do.
class HostKeyManager extends X509ExtendedKeyManager {
  private static final String ALIAS = "host";

  /// What TLS implementations call the kind of the certificate's key.
  private static final Set<String> KEY_TYPES = Set.of("EC", "EC/secp256r1");

  private final HostCertificate certificate;

  HostKeyManager(HostCertificate certificate) {
    this.certificate = certificate;
  }

  @Override
  public @Nullable String chooseEngineClientAlias(
      String[] keyTypes, Principal @Nullable [] issuers, @Nullable SSLEngine engine) {
    return anyOf(keyTypes);
  }

  @Override
  public @Nullable String chooseEngineServerAlias(
      String keyType, Principal @Nullable [] issuers, @Nullable SSLEngine engine) {
    return KEY_TYPES.contains(keyType) ? ALIAS : null;
  }

  @Override
  public @Nullable String chooseClientAlias(
      String[] keyTypes, Principal @Nullable [] issuers, @Nullable Socket socket) {
    return anyOf(keyTypes);
  }

  @Override
  public @Nullable String chooseServerAlias(
      String keyType, Principal @Nullable [] issuers, @Nullable Socket socket) {
    return KEY_TYPES.contains(keyType) ? ALIAS : null;
  }

  @Override
  public String[] getClientAliases(String keyType, Principal @Nullable [] issuers) {
    return new String[] {ALIAS};
  }

  @Override
  public String[] getServerAliases(String keyType, Principal @Nullable [] issuers) {
    return new String[] {ALIAS};
  }

  @Override
  public X509Certificate[] getCertificateChain(String alias) {
    return new X509Certificate[] {certificate.certificate()};
  }

  @Override
  public PrivateKey getPrivateKey(String alias) {
    return certificate.key();
  }

  private static @Nullable String anyOf(String[] keyTypes) {
    return Arrays.stream(keyTypes).anyMatch(KEY_TYPES::contains) ? ALIAS : null;
  }
}

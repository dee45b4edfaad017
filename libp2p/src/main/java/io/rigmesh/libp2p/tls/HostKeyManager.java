package io.rigmesh.libp2p.tls;

import java.net.Socket;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedKeyManager;
import org.jspecify.annotations.Nullable;

/// Shows the host's one certificate, whatever is asked for: a libp2p peer asks for nothing else.
class HostKeyManager extends X509ExtendedKeyManager {
  private static final String ALIAS = "host";

  /// Some TLS libraries name the curve, too: `EC/secp256r1`.
  private static final String KEY_TYPE = "EC";

  private final HostCertificate certificate;

  HostKeyManager(HostCertificate certificate) {
    this.certificate = certificate;
  }

  @Override
  public String chooseEngineClientAlias(
      String[] keyTypes, Principal @Nullable [] issuers, @Nullable SSLEngine engine) {
    return ALIAS;
  }

  @Override
  public @Nullable String chooseEngineServerAlias(
      String keyType, Principal @Nullable [] issuers, @Nullable SSLEngine engine) {
    return keyType.startsWith(KEY_TYPE) ? ALIAS : null;
  }

  @Override
  public String chooseClientAlias(
      String[] keyTypes, Principal @Nullable [] issuers, @Nullable Socket socket) {
    return ALIAS;
  }

  @Override
  public @Nullable String chooseServerAlias(
      String keyType, Principal @Nullable [] issuers, @Nullable Socket socket) {
    return keyType.startsWith(KEY_TYPE) ? ALIAS : null;
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
}

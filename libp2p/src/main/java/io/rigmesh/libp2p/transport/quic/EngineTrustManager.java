package io.rigmesh.libp2p.transport.quic;

import io.rigmesh.libp2p.tls.PeerVerification;
import java.net.Socket;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;

/// Hands a remote's certificates to the verification of the connection they came on. It keeps
/// nothing itself: a QUIC codec has one trust manager for all connections, and what it kept would
/// be shared by them.
final class EngineTrustManager extends X509ExtendedTrustManager {
  private static final String VERIFICATION = PeerVerification.class.getName();

  /// Says whose verification an engine's certificates go to.
  static void bind(SSLEngine engine, PeerVerification verification) {
    engine.getSession().putValue(VERIFICATION, verification);
  }

  private static void verify(X509Certificate[] chain, @Nullable SSLEngine engine)
      throws CertificateException {
    if (engine != null
        && engine.getSession().getValue(VERIFICATION) instanceof PeerVerification verification) {
      verification.verify(chain);
    } else {
      throw new CertificateException("The connection of these certificates is not known");
    }
  }

  @Override
  public void checkClientTrusted(
      X509Certificate[] chain, String authType, @Nullable SSLEngine engine)
      throws CertificateException {
    verify(chain, engine);
  }

  @Override
  public void checkServerTrusted(
      X509Certificate[] chain, String authType, @Nullable SSLEngine engine)
      throws CertificateException {
    verify(chain, engine);
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType, @Nullable Socket socket)
      throws CertificateException {
    verify(chain, null);
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType, @Nullable Socket socket)
      throws CertificateException {
    verify(chain, null);
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType)
      throws CertificateException {
    verify(chain, null);
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType)
      throws CertificateException {
    verify(chain, null);
  }

  @Override
  public X509Certificate[] getAcceptedIssuers() {
    return new X509Certificate[0];
  }
}

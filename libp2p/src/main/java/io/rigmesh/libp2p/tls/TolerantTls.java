package io.rigmesh.libp2p.tls;

import java.security.NoSuchAlgorithmException;
import java.security.Provider;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.util.logging.Level;
import java.util.logging.Logger;
import javax.net.ssl.SSLContext;
import org.bouncycastle.jcajce.util.DefaultJcaJceHelper;
import org.bouncycastle.jcajce.util.JcaJceHelper;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.jsse.provider.BouncyCastleJsseProvider;
import org.bouncycastle.tls.crypto.impl.jcajce.JcaTlsCryptoProvider;

/// A TLS implementation that shows every certificate to the trust manager. The JDK's refuses one
/// whose issuer is empty before anyone is asked, and js-libp2p (as the tls specification allows)
/// issues such. Only certificates are read by BouncyCastle; the ciphers stay the JDK's.
final class TolerantTls {
  private static final Provider CERTIFICATES = new BouncyCastleProvider();
  // It lists at every start what it does not know of the JDK's lists of algorithms that are
  // refused;
  // all of TLS 1.3's signatures and groups are stronger than those.
  private static final Logger PROVIDER_LOG = Logger.getLogger("org.bouncycastle.jsse");
  private static final Provider TLS = new BouncyCastleJsseProvider(false, new Crypto());

  static {
    PROVIDER_LOG.setLevel(Level.SEVERE);
  }

  private TolerantTls() {}

  static SSLContext context() throws NoSuchAlgorithmException {
    return SSLContext.getInstance("TLSv1.3", TLS);
  }

  private static final class Crypto extends JcaTlsCryptoProvider {
    private static final JcaJceHelper HELPER = new Lookup();

    @Override
    public JcaJceHelper getHelper() {
      return HELPER;
    }

    @Override
    public JcaJceHelper getAltHelper() {
      return HELPER;
    }
  }

  private static final class Lookup extends DefaultJcaJceHelper {
    @Override
    public CertificateFactory createCertificateFactory(String type) throws CertificateException {
      return CertificateFactory.getInstance(type, CERTIFICATES);
    }
  }
}

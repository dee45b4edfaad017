package io.rigmesh.node;

import io.rigmesh.libp2p.identity.Ed25519PrivateKey;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.identity.PrivateKey;
import io.rigmesh.node.config.ConfigException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Base64;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The file of the peer's key: the private key message of libp2p's peer-ids specification in
/// base64, readable by its owner alone.
public final class PeerKeyFile {
  private static final Logger LOG = LoggerFactory.getLogger(PeerKeyFile.class);

  private PeerKeyFile() {}

  /// Reads the key, and makes one on the first start.
  ///
  /// @throws ConfigException if others may read it, or it holds no key
  public static PrivateKey open(Path file) throws IOException {
    if (Files.exists(file)) {
      return parse(file, Home.readSecret(file, "the peer's key"));
    }
    Path parent = file.toAbsolutePath().getParent();
    if (parent != null) {
      Home.privateFolder(parent);
    }
    Ed25519PrivateKey key = Ed25519PrivateKey.generate(new SecureRandom());
    LOG.info("made the peer {}", PeerId.of(key.publicKey()));
    return parse(
        file, Home.keepSecret(file, "peer's key", Base64.getEncoder().encodeToString(key.bytes())));
  }

  private static PrivateKey parse(Path file, String text) {
    try {
      return Ed25519PrivateKey.of(Base64.getDecoder().decode(text));
    } catch (IllegalArgumentException e) {
      throw new ConfigException(
          file
              + " holds no Ed25519 key of libp2p in base64: "
              + e.getMessage()
              + "; restore it from a backup, or remove it to get a new peer id",
          e);
    }
  }
}

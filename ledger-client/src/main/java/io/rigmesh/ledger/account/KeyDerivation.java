package io.rigmesh.ledger.account;

import io.rigmesh.protocol.MalformedException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bouncycastle.crypto.PBEParametersGenerator;
import org.bouncycastle.crypto.digests.SHA256Digest;
import org.bouncycastle.crypto.generators.PKCS5S2ParametersGenerator;
import org.bouncycastle.crypto.generators.SCrypt;
import org.bouncycastle.crypto.params.KeyParameter;
import tools.jackson.databind.JsonNode;

/// How a keystore makes 32 bytes out of a password: the fields `kdf` and `kdfparams`. A file may
/// come from anybody and says itself how much memory and time it takes to open, so the ranges are
/// checked first.
sealed interface KeyDerivation {
  /// The length of what is derived: 16 bytes to decrypt with, 16 to check with.
  int BYTES = 32;

  /// Derives from a password.
  byte[] derive(char[] password);

  /// The value of `kdf`.
  String name();

  /// The value of `kdfparams`.
  Map<String, Object> parameters();

  /// Reads `crypto.kdf` and `crypto.kdfparams`.
  ///
  /// @throws MalformedException if they are unknown, malformed or beyond the limits
  static KeyDerivation read(JsonNode crypto) {
    JsonNode parameters = crypto.path("kdfparams");
    if (number(parameters, "dklen") != BYTES) {
      throw new MalformedException("crypto.kdfparams.dklen is not 32");
    }
    byte[] salt = Keystore.hex(parameters, "salt", 8, 64);
    String kdf = crypto.path("kdf").asString("");
    return switch (kdf) {
      case "scrypt" ->
          new Scrypt(
              number(parameters, "n"), number(parameters, "r"), number(parameters, "p"), salt);
      case "pbkdf2" -> {
        if (!parameters.path("prf").asString("").equals("hmac-sha256")) {
          throw new MalformedException("crypto.kdfparams.prf is not hmac-sha256");
        }
        yield new Pbkdf2(number(parameters, "c"), salt);
      }
      default -> throw new MalformedException("crypto.kdf is neither scrypt nor pbkdf2");
    };
  }

  private static int number(JsonNode parameters, String field) {
    JsonNode node = parameters.path(field);
    if (!node.isIntegralNumber() || !node.canConvertToInt()) {
      throw new MalformedException("crypto.kdfparams." + field + " is no number");
    }
    return node.intValue();
  }

  /// RFC 7914. It takes `128 * n * r` bytes of memory.
  ///
  /// @param n the cost, a power of two
  /// @param r the block size
  /// @param p how often it is done
  /// @param salt makes equal passwords differ
  @SuppressWarnings("ArrayRecordComponent") // Never compared.
  record Scrypt(int n, int r, int p, byte[] salt) implements KeyDerivation {
    private static final long BYTES_MAX = 512L * 1024 * 1024;
    private static final int PARALLEL_MAX = 16;

    public Scrypt {
      // RFC 7914: n is below 2^(128 * r / 8).
      boolean costFits = r > 1 || n < 1 << 16;
      if (n < 2
          || !costFits
          || Integer.bitCount(n) != 1
          || r < 1
          || p < 1
          || p > PARALLEL_MAX
          || 128L * r > BYTES_MAX / n) {
        throw new MalformedException(
            ("scrypt with n=%d, r=%d, p=%d is not allowed: n is a power of two below 2^(16*r), at most"
                    + " 512 MiB (128*n*r) and p=%d")
                .formatted(n, r, p, PARALLEL_MAX));
      }
    }

    @Override
    public byte[] derive(char[] password) {
      byte[] bytes = PBEParametersGenerator.PKCS5PasswordToUTF8Bytes(password);
      return SCrypt.generate(bytes, salt, n, r, p, KeyDerivation.BYTES);
    }

    @Override
    public String name() {
      return "scrypt";
    }

    @Override
    public Map<String, Object> parameters() {
      Map<String, Object> parameters = new LinkedHashMap<>();
      parameters.put("dklen", KeyDerivation.BYTES);
      parameters.put("n", n);
      parameters.put("r", r);
      parameters.put("p", p);
      parameters.put("salt", HexFormat.of().formatHex(salt));
      return parameters;
    }
  }

  /// RFC 8018 with HMAC-SHA-256; read, never written.
  ///
  /// @param c rounds
  /// @param salt makes equal passwords differ
  @SuppressWarnings("ArrayRecordComponent") // Never compared.
  record Pbkdf2(int c, byte[] salt) implements KeyDerivation {
    private static final int ROUNDS_MAX = 10_000_000;

    public Pbkdf2 {
      if (c < 1 || c > ROUNDS_MAX) {
        throw new MalformedException(
            "pbkdf2 with c=%d is not allowed: at most %d rounds".formatted(c, ROUNDS_MAX));
      }
    }

    @Override
    public byte[] derive(char[] password) {
      PKCS5S2ParametersGenerator generator = new PKCS5S2ParametersGenerator(new SHA256Digest());
      byte[] bytes = new String(password).getBytes(StandardCharsets.UTF_8);
      generator.init(bytes, salt, c);
      return ((KeyParameter) generator.generateDerivedMacParameters(8 * KeyDerivation.BYTES))
          .getKey();
    }

    @Override
    public String name() {
      return "pbkdf2";
    }

    @Override
    public Map<String, Object> parameters() {
      return Map.of(
          "dklen",
          KeyDerivation.BYTES,
          "c",
          c,
          "prf",
          "hmac-sha256",
          "salt",
          HexFormat.of().formatHex(salt));
    }
  }
}

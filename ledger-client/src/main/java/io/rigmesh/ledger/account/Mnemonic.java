package io.rigmesh.ledger.account;

import io.rigmesh.protocol.AccountKey;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.web3j.crypto.Bip32ECKeyPair;
import org.web3j.crypto.MnemonicUtils;

/// The words that a wallet was written down with (BIP-39, the English list), from which its keys
/// are derived (BIP-32, BIP-44). Immutable; never shown in full by its text form.
public final class Mnemonic {
  /// Where wallets keep their first Ethereum account (BIP-44, coin type 60).
  public static final String PATH = "m/44'/60'/0'/0/0";

  private static final int SECRET_BYTES = 32;
  private static final int DEPTH_MAX = 10;

  private final String words;

  private Mnemonic(String words) {
    this.words = words;
  }

  /// Reads 12, 15, 18, 21 or 24 words, separated by any space.
  ///
  /// @throws KeystoreException if the number is another, a word is not in the list, or the last one
  ///   does not check the others. The message names a word by its position only.
  public static Mnemonic parse(String text) {
    String plain =
        Normalizer.normalize(text, Normalizer.Form.NFKD).strip().toLowerCase(Locale.ROOT);
    String[] words = plain.split("\\s+");
    if (words.length < 12 || words.length > 24 || words.length % 3 != 0) {
      throw new KeystoreException(
          "A mnemonic has 12, 15, 18, 21 or 24 words, not " + words.length + ".");
    }
    List<String> known = MnemonicUtils.getWords();
    for (int i = 0; i < words.length; i++) {
      if (!known.contains(words[i])) {
        throw new KeystoreException(
            "Word %d of the mnemonic is not in the English list of BIP-39; look for a slip of the pen."
                .formatted(i + 1));
      }
    }
    String joined = String.join(" ", words);
    if (!MnemonicUtils.validateMnemonic(joined)) {
      throw new KeystoreException(
          "The mnemonic's last word does not check the others; a word is wrong or two are exchanged.");
    }
    return new Mnemonic(joined);
  }

  /// The key at a path.
  ///
  /// @param path such as `m/44'/60'/0'/0/0`
  /// @param passphrase the extra word that some wallets ask for; most often empty
  /// @throws KeystoreException if the path is malformed
  public AccountKey key(String path, String passphrase) {
    byte[] seed =
        MnemonicUtils.generateSeed(words, Normalizer.normalize(passphrase, Normalizer.Form.NFKD));
    return derive(seed, path);
  }

  /// BIP-32 from a seed.
  static AccountKey derive(byte[] seed, String path) {
    Bip32ECKeyPair pair =
        Bip32ECKeyPair.deriveKeyPair(Bip32ECKeyPair.generateKeyPair(seed), steps(path));
    byte[] raw = pair.getPrivateKey().toByteArray();
    byte[] secret = new byte[SECRET_BYTES];
    int length = Math.min(raw.length, SECRET_BYTES);
    System.arraycopy(raw, raw.length - length, secret, SECRET_BYTES - length, length);
    return AccountKey.of(secret);
  }

  private static int[] steps(String path) {
    String[] parts = path.strip().split("/", -1);
    if (!parts[0].equals("m") || parts.length - 1 > DEPTH_MAX) {
      throw malformed(path);
    }
    List<Integer> steps = new ArrayList<>();
    for (int i = 1; i < parts.length; i++) {
      boolean hardened = parts[i].endsWith("'") || parts[i].endsWith("h");
      String digits = hardened ? parts[i].substring(0, parts[i].length() - 1) : parts[i];
      try {
        int number = Integer.parseInt(digits);
        if (number < 0 || digits.startsWith("+")) {
          throw malformed(path);
        }
        steps.add(hardened ? number | Bip32ECKeyPair.HARDENED_BIT : number);
      } catch (NumberFormatException e) {
        throw malformed(path);
      }
    }
    return steps.stream().mapToInt(Integer::intValue).toArray();
  }

  private static KeystoreException malformed(String path) {
    return new KeystoreException(
        "The derivation path \"%s\" is malformed; it looks like %s.".formatted(path, PATH));
  }

  @Override
  public String toString() {
    return "Mnemonic[" + words.split(" ").length + " words]";
  }
}

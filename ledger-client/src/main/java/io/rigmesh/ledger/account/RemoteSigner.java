package io.rigmesh.ledger.account;

import io.rigmesh.ledger.chain.BoundedBody;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Digests;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.MalformedException;
import io.rigmesh.protocol.Signature;
import io.rigmesh.protocol.TypedData;
import java.io.IOException;
import java.io.InputStream;
import java.math.BigInteger;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.web3j.crypto.RawTransaction;
import org.web3j.crypto.TransactionEncoder;
import org.web3j.crypto.transaction.type.Transaction1559;
import org.web3j.rlp.RlpDecoder;
import org.web3j.rlp.RlpList;
import org.web3j.rlp.RlpString;
import org.web3j.rlp.RlpType;
import org.web3j.utils.Numeric;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A server that holds the account's key and signs what it is shown, over JSON-RPC: Web3signer,
/// Clef, or a node with the account (`eth_signTransaction`, `eth_signTypedData_v4`). What comes
/// back counts only if it is the account's signature over exactly what was asked for.
public final class RemoteSigner implements AccountSigner, AutoCloseable {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  /// A signed transaction is as long as its data twice; contracts' code is below 50 kB.
  private static final int ANSWER_BYTES_MAX = 1024 * 1024;

  private static final int METHOD_NOT_FOUND = -32601;

  /// The members of a signed EIP-1559 transaction, the last three of which are its signature.
  private static final int MEMBERS = 12;

  private final URI uri;
  private final String name;
  private final Address address;
  private final Duration timeout;
  private final HttpClient client;

  private RemoteSigner(URI uri, Address address, Duration timeout) {
    this.uri = uri;
    this.name = uri.getScheme() + "://" + uri.getHost() + ":" + uri.getPort();
    this.address = address;
    this.timeout = timeout;
    this.client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(timeout)
            .build();
  }

  /// Opens a signer and checks that it has the account.
  ///
  /// @param timeout how long a signature may take; people who press a button need a minute
  /// @throws SignerException if it does not answer, or does not have the account
  public static RemoteSigner connect(URI uri, Address address, Duration timeout) {
    if (!"http".equals(uri.getScheme()) && !"https".equals(uri.getScheme())) {
      throw new SignerException("A remote signer's address begins with http or https.");
    }
    RemoteSigner signer = new RemoteSigner(uri, address, timeout);
    try {
      for (JsonNode account : signer.ask("eth_accounts", List.of())) {
        if (account.asString("").equalsIgnoreCase(address.hex())) {
          return signer;
        }
      }
      throw new SignerException(
          "The remote signer %s does not have the account %s; unlock it there, or name another."
              .formatted(signer.name, address));
    } catch (SignerException e) {
      signer.close();
      throw e;
    }
  }

  @Override
  public Address address() {
    return address;
  }

  @Override
  public boolean signsDigests() {
    return false;
  }

  @Override
  public Signature sign(Hash digest) {
    throw new SignerException(
        "The remote signer "
            + name
            + " signs transactions and typed data, and no bare digest, since nobody could see what it is.");
  }

  @Override
  public Signature sign(TypedData data, Domain domain) {
    List<Object> parameters = List.of(address.hex(), data.document(domain));
    JsonNode answer;
    try {
      answer = ask("eth_signTypedData_v4", parameters);
    } catch (NoMethodException e) {
      answer = ask("eth_signTypedData", parameters);
    }
    try {
      return checked(Signature.fromHex(answer.asString("")), data.digest(domain));
    } catch (MalformedException e) {
      throw new SignerException(
          "The remote signer " + name + " gives no signature: " + e.getMessage() + ".", e);
    }
  }

  @Override
  public Signature sign(RawTransaction transaction) {
    Transaction1559 unsigned = (Transaction1559) transaction.getTransaction();
    Map<String, String> fields = new LinkedHashMap<>();
    fields.put("from", address.hex());
    if (!unsigned.getTo().isEmpty()) {
      fields.put("to", unsigned.getTo());
    }
    fields.put("gas", Numeric.encodeQuantity(unsigned.getGasLimit()));
    fields.put("maxFeePerGas", Numeric.encodeQuantity(unsigned.getMaxFeePerGas()));
    fields.put("maxPriorityFeePerGas", Numeric.encodeQuantity(unsigned.getMaxPriorityFeePerGas()));
    fields.put("value", Numeric.encodeQuantity(unsigned.getValue()));
    fields.put("nonce", Numeric.encodeQuantity(unsigned.getNonce()));
    fields.put("data", Numeric.prependHexPrefix(unsigned.getData()));
    fields.put("chainId", Numeric.encodeQuantity(BigInteger.valueOf(unsigned.getChainId())));
    fields.put("type", "0x2");
    JsonNode answer = ask("eth_signTransaction", List.of(fields));
    // Geth wraps the bytes, the others give them bare.
    String raw = answer.isObject() ? answer.path("raw").asString("") : answer.asString("");
    try {
      return checked(
          signatureOf(Numeric.hexStringToByteArray(raw)),
          Digests.keccak256(TransactionEncoder.encode(transaction)));
    } catch (RuntimeException e) {
      if (e instanceof SignerException known) {
        throw known;
      }
      throw new SignerException(
          "The remote signer " + name + " gives no signed EIP-1559 transaction.", e);
    }
  }

  private static Signature signatureOf(byte[] raw) {
    List<RlpType> members =
        ((RlpList) RlpDecoder.decode(Arrays.copyOfRange(raw, 1, raw.length)).getValues().get(0))
            .getValues();
    if (raw[0] != 2 || members.size() != MEMBERS) {
      throw new MalformedException("it is no signed EIP-1559 transaction");
    }
    byte[] signature = new byte[Signature.BYTES];
    for (int i = 0; i < 2; i++) {
      byte[] word = ((RlpString) members.get(MEMBERS - 2 + i)).getBytes();
      System.arraycopy(word, 0, signature, 32 * (i + 1) - word.length, word.length);
    }
    BigInteger parity = ((RlpString) members.get(MEMBERS - 3)).asPositiveBigInteger();
    signature[Signature.BYTES - 1] = (byte) (27 + parity.intValueExact());
    return Signature.of(signature);
  }

  private Signature checked(Signature signature, Hash digest) {
    Address signer;
    try {
      signer = signature.signer(digest);
    } catch (MalformedException e) {
      signer = Address.ZERO;
    }
    if (!signer.equals(address)) {
      throw new SignerException(
          "The remote signer %s signed something else than it was asked for, or for another account than %s; nothing was sent."
              .formatted(name, address));
    }
    return signature;
  }

  /// The signer does not know a method.
  private static final class NoMethodException extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  private JsonNode ask(String method, List<?> parameters) {
    Map<String, Object> request = new LinkedHashMap<>();
    request.put("jsonrpc", "2.0");
    request.put("id", 1);
    request.put("method", method);
    request.put("params", parameters);
    JsonNode answer;
    try {
      HttpResponse<InputStream> response =
          client.send(
              HttpRequest.newBuilder(uri)
                  .timeout(timeout)
                  .header("Content-Type", "application/json")
                  .POST(HttpRequest.BodyPublishers.ofByteArray(JSON.writeValueAsBytes(request)))
                  .build(),
              HttpResponse.BodyHandlers.ofInputStream());
      answer = JSON.readTree(BoundedBody.read(response, ANSWER_BYTES_MAX, timeout));
    } catch (IOException | JacksonException e) {
      throw new SignerException(
          "The remote signer %s did not answer %s within %d s (%s); is it running, and does it wait for a person?"
              .formatted(name, method, timeout.toSeconds(), e.getMessage()),
          e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new SignerException("Waiting for the remote signer " + name + " was interrupted.", e);
    }
    JsonNode error = answer.path("error");
    if (error.path("code").asInt(0) == METHOD_NOT_FOUND && method.endsWith("_v4")) {
      throw new NoMethodException();
    }
    if (!error.isMissingNode() && !error.isNull()) {
      throw new SignerException(
          "The remote signer %s refuses %s: %s"
              .formatted(name, method, error.path("message").asString("")));
    }
    return answer.path("result");
  }

  @Override
  public void close() {
    client.shutdownNow();
    client.close();
  }
}

package io.rigmesh.protocol;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/// The JSON form of jobs and receipts: what REST carries and `receipt.json` holds. Hashes,
/// addresses and signatures are `0x` texts; 64-bit and larger numbers are decimal texts, since
/// JavaScript cannot hold them; unknown fields are refused.
public final class ProtocolJson {
  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
  private static final ObjectMapper MAPPER =
      new ObjectMapper(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(32)
                          .maxStringLength(1 << 16)
                          .maxNumberLength(100)
                          .build())
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .build())
          .enable(SerializationFeature.INDENT_OUTPUT);

  private ProtocolJson() {}

  /// A signed job as JSON: the job's fields and `signature`.
  public static ObjectNode write(SignedJob signed) {
    return write(signed.job()).put("signature", signed.signature().hex());
  }

  /// A job as JSON.
  public static ObjectNode write(Job job) {
    ObjectNode parameters = NODES.objectNode();
    job.task().parameters().forEach(p -> parameters.put(p.name(), p.value()));
    return NODES
        .objectNode()
        .put("kind", job.task().kind().id())
        .put("model", job.model().hex())
        .put("profile", job.profile().id())
        .put("input", job.input().hex())
        .<ObjectNode>set("parameters", parameters)
        .put("seed", Long.toUnsignedString(job.seed()))
        .put("priceMax", job.priceMax().toString())
        .put("deadline", Long.toString(job.deadlineSeconds()))
        .put("requester", job.requester().hex())
        .put("nonce", job.nonce().toString());
  }

  /// Reads a signed job.
  ///
  /// @throws MalformedException naming the field
  public static SignedJob readSignedJob(byte[] json) {
    return readSignedJob(parse(json, "a signed job"), "job");
  }

  /// Reads a signed job from a tree; `at` names it in errors.
  ///
  /// @throws MalformedException naming the field
  public static SignedJob readSignedJob(JsonNode node, String at) {
    Fields f = new Fields(node, at);
    JobKind kind = JobKind.of(f.text("kind"));
    SignedJob signed =
        new SignedJob(
            new Job(
                Task.of(kind, parameters(f.node("parameters"), at)),
                Hash.fromHex(f.text("model")),
                Profile.of(f.text("profile")),
                Hash.fromHex(f.text("input")),
                f.u64("seed"),
                TokenAmount.parse(f.text("priceMax")),
                f.u64("deadline"),
                Address.fromHex(f.text("requester")),
                Decimals.unsigned(f.text("nonce"), 78, at + ".nonce")),
            Signature.fromHex(f.text("signature")));
    f.end();
    return signed;
  }

  /// Reads a task's parameters from a JSON object of texts.
  ///
  /// @throws MalformedException if a value is not a text
  public static List<Parameter> parameters(JsonNode node, String at) {
    if (!node.isObject()) {
      throw new MalformedException(at + ".parameters is an object");
    }
    TreeMap<String, String> sorted = new TreeMap<>();
    for (Map.Entry<String, JsonNode> e : node.properties()) {
      if (!e.getValue().isTextual()) {
        throw new MalformedException(
            at + ".parameters." + e.getKey() + " is a text, such as \"64\"");
      }
      sorted.put(e.getKey(), e.getValue().textValue());
    }
    return sorted.entrySet().stream().map(e -> new Parameter(e.getKey(), e.getValue())).toList();
  }

  /// A signed receipt as JSON: the receipt's fields and `signature`.
  public static ObjectNode write(SignedReceipt signed) {
    Receipt r = signed.receipt();
    return NODES
        .objectNode()
        .put("job", r.job().hex())
        .put("provider", r.provider().hex())
        .put("model", r.model().hex())
        .put("tokensIn", Long.toString(r.meter().tokensIn()))
        .put("tokensOut", Long.toString(r.meter().tokensOut()))
        .put("steps", Long.toString(r.meter().steps()))
        .put("commitment", r.commitment().hex())
        .put("commitmentsRoot", r.commitmentsRoot().hex())
        .put("output", r.output().hex())
        .put("device", r.device())
        .put("profile", r.profile().id())
        .put("startedAt", Long.toString(r.startedAtSeconds()))
        .put("finishedAt", Long.toString(r.finishedAtSeconds()))
        .put("price", r.price().toString())
        .put("signature", signed.signature().hex());
  }

  /// Reads a signed receipt from a tree; `at` names it in errors.
  ///
  /// @throws MalformedException naming the field
  public static SignedReceipt readSignedReceipt(JsonNode node, String at) {
    Fields f = new Fields(node, at);
    SignedReceipt signed =
        new SignedReceipt(
            new Receipt(
                Hash.fromHex(f.text("job")),
                Address.fromHex(f.text("provider")),
                Hash.fromHex(f.text("model")),
                new Meter(f.u64("tokensIn"), f.u64("tokensOut"), f.u64("steps")),
                Hash.fromHex(f.text("commitment")),
                Hash.fromHex(f.text("commitmentsRoot")),
                Hash.fromHex(f.text("output")),
                f.text("device"),
                Profile.of(f.text("profile")),
                f.u64("startedAt"),
                f.u64("finishedAt"),
                TokenAmount.parse(f.text("price"))),
            Signature.fromHex(f.text("signature")));
    f.end();
    return signed;
  }

  /// The content of a `receipt.json`.
  public static byte[] write(ReceiptFile file) {
    ObjectNode root = NODES.objectNode();
    root.put("format", "rigmesh-receipt-1");
    root.set(
        "domain",
        NODES
            .objectNode()
            .put("chainId", Long.toString(file.domain().chainId()))
            .put("verifyingContract", file.domain().verifyingContract().hex()));
    root.set("job", write(file.job()));
    root.set("receipt", write(file.receipt()));
    root.set("evidence", write(file.evidence()));
    try {
      return MAPPER.writeValueAsBytes(root);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a tree of texts is always JSON", e);
    }
  }

  /// Reads a `receipt.json`.
  ///
  /// @throws MalformedException naming the field
  public static ReceiptFile readReceiptFile(byte[] json) {
    Fields f = new Fields(parse(json, "a receipt file"), "receipt file");
    String format = f.text("format");
    if (!format.equals("rigmesh-receipt-1")) {
      throw new MalformedException(
          "receipt file.format is rigmesh-receipt-1, not '" + format + "'");
    }
    Fields d = new Fields(f.node("domain"), "domain");
    Domain domain = new Domain(d.u64("chainId"), Address.fromHex(d.text("verifyingContract")));
    d.end();
    ReceiptFile file =
        new ReceiptFile(
            domain,
            readSignedJob(f.node("job"), "job"),
            readSignedReceipt(f.node("receipt"), "receipt"),
            readEvidence(f.node("evidence")));
    f.end();
    return file;
  }

  /// Evidence as JSON.
  public static ObjectNode write(Evidence evidence) {
    ObjectNode node = NODES.objectNode();
    switch (evidence) {
      case Evidence.Generation(var prompt, var tokens, var links) -> {
        node.put("kind", "generate");
        prompt.forEach(node.putArray("promptTokens")::add);
        tokens.forEach(node.putArray("tokens")::add);
      }
      case Evidence.Embedding(var links) -> node.put("kind", "embed");
      case Evidence.Training(var losses, var checkpoints, var links) -> {
        node.put("kind", "train");
        // Losses travel as their bits, so that no decimal spelling can change them.
        ArrayNode bits = node.putArray("lossBits");
        losses.forEach(l -> bits.add(String.format("%08x", Float.floatToRawIntBits(l))));
        ArrayNode list = node.putArray("checkpoints");
        checkpoints.forEach(c ->
            list.addObject().put("step", Long.toString(c.step())).put("state", c.state().hex()));
      }
    }
    ArrayNode list = node.putArray("links");
    evidence.links().forEach(l -> list.add(l.hex()));
    return node;
  }

  /// Reads evidence.
  ///
  /// @throws MalformedException naming the field
  public static Evidence readEvidence(JsonNode node) {
    Fields f = new Fields(node, "evidence");
    JobKind kind = JobKind.of(f.text("kind"));
    Evidence evidence =
        switch (kind) {
          case GENERATE ->
              new Evidence.Generation(f.ints("promptTokens"), f.ints("tokens"), f.hashes("links"));
          case EMBED -> new Evidence.Embedding(f.hashes("links"));
          case TRAIN ->
              new Evidence.Training(
                  f.texts("lossBits").stream().map(ProtocolJson::lossOfBits).toList(),
                  checkpoints(f.node("checkpoints")),
                  f.hashes("links"));
        };
    f.end();
    return evidence;
  }

  /// Parses JSON strictly: bounded depth, no doubled fields.
  ///
  /// @throws MalformedException if it is not JSON
  public static JsonNode parse(byte[] json, String what) {
    try {
      JsonNode node = MAPPER.readTree(json);
      if (node == null || !node.isObject()) {
        throw new MalformedException(what + " is a JSON object");
      }
      return node;
    } catch (JsonProcessingException e) {
      throw new MalformedException(what + " is not JSON: " + e.getOriginalMessage(), e);
    } catch (IOException e) {
      throw new MalformedException(what + " cannot be read: " + e.getMessage(), e);
    }
  }

  private static float lossOfBits(String bits) {
    byte[] b = Hex.parse(bits, 4, "evidence.lossBits");
    return Float.intBitsToFloat(java.nio.ByteBuffer.wrap(b).getInt());
  }

  private static List<Evidence.Checkpoint> checkpoints(JsonNode node) {
    List<Evidence.Checkpoint> list = new ArrayList<>();
    for (JsonNode c : node) {
      Fields f = new Fields(c, "evidence.checkpoints");
      list.add(new Evidence.Checkpoint(f.u64("step"), Hash.fromHex(f.text("state"))));
      f.end();
    }
    return list;
  }

  /// The fields of one object, each taken once.
  private static final class Fields {
    private final JsonNode node;
    private final String at;
    private final Set<String> left = new TreeSet<>();

    Fields(JsonNode node, String at) {
      if (!node.isObject()) {
        throw new MalformedException(at + " is a JSON object");
      }
      this.node = node;
      this.at = at;
      node.fieldNames().forEachRemaining(left::add);
    }

    JsonNode node(String name) {
      JsonNode value = node.get(name);
      left.remove(name);
      if (value == null || value.isNull()) {
        throw new MalformedException(at + " lacks the field " + name);
      }
      return value;
    }

    String text(String name) {
      JsonNode value = node(name);
      if (!value.isTextual()) {
        throw new MalformedException(at + "." + name + " is a text");
      }
      return value.textValue();
    }

    long u64(String name) {
      BigInteger value = Decimals.unsigned(text(name), 20, at + "." + name);
      if (value.bitLength() > 64) {
        throw new MalformedException(at + "." + name + " lies below 2^64");
      }
      return value.longValue();
    }

    List<String> texts(String name) {
      List<String> list = new ArrayList<>();
      for (JsonNode e : node(name)) {
        if (!e.isTextual()) {
          throw new MalformedException(at + "." + name + " is a list of texts");
        }
        list.add(e.textValue());
      }
      return list;
    }

    List<Hash> hashes(String name) {
      return texts(name).stream().map(Hash::fromHex).toList();
    }

    List<Integer> ints(String name) {
      List<Integer> list = new ArrayList<>();
      for (JsonNode e : node(name)) {
        if (!e.isInt() || e.intValue() < 0) {
          throw new MalformedException(at + "." + name + " is a list of token ids");
        }
        list.add(e.intValue());
      }
      return list;
    }

    void end() {
      if (!left.isEmpty()) {
        throw new MalformedException(
            at + " has an unknown field " + left.iterator().next() + "; remove it");
      }
    }
  }
}

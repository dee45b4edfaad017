package io.rigmesh.protocol;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;

/// A piece of work that a requester asks for and promises to pay. Its canonical bytes are on
/// docs/protocol.md; its id is their SHA-256; its requester signs it as EIP-712 typed data, so that
/// a hardware wallet shows it in words.
///
/// @param task what is to be computed
/// @param model the root of the model's folder, or zero for a new model
/// @param profile the arithmetic
/// @param input the root of the input blob: the text to train on, the prompt, or the sentences, one
///   a line; UTF-8
/// @param seed keys all randomness; an unsigned 64-bit number
/// @param priceMax the most that the requester will pay
/// @param deadlineSeconds Unix time after which the result is worth nothing
/// @param requester the account that signs and pays
/// @param nonce makes two otherwise equal jobs differ; below 2^256; never used twice by one
///   requester
public record Job(
    Task task,
    Hash model,
    Profile profile,
    Hash input,
    long seed,
    TokenAmount priceMax,
    long deadlineSeconds,
    Address requester,
    BigInteger nonce) {

  /// The most bytes a job's canonical form has.
  public static final int BYTES_MAX = 4_096;

  static final StructType TYPE =
      StructType.parse(
          "Job(string kind,bytes32 model,string profile,bytes32 input,Parameter[] parameters,"
              + "uint64 seed,uint256 priceMax,uint64 deadline,address requester,uint256 nonce)",
          Parameter.TYPE);

  private static final String TAG = "rigmesh-job-v1";
  private static final int PARAMETERS_MAX = 32;
  private static final int PARAMETER_BYTES_MAX = 1_024;

  /// Checks what the types cannot.
  public Job {
    if (nonce.signum() < 0 || nonce.bitLength() > 256) {
      throw new MalformedException("nonce lies between 0 and 2^256 - 1");
    }
    if (deadlineSeconds <= 0) {
      throw new MalformedException("deadline is a positive Unix time in seconds");
    }
    if (input.isZero()) {
      throw new MalformedException("input is the root of a blob, not zero");
    }
    boolean fresh = task instanceof Task.Train train && train.architecture().isPresent();
    if (model.isZero() != fresh) {
      throw new MalformedException(
          fresh
              ? "a job that trains a new model names no model: model is zero"
              : "model is the root of a model folder, not zero");
    }
  }

  /// The job's name everywhere: the SHA-256 of its canonical bytes.
  public Hash id() {
    return Digests.sha256(canonicalBytes());
  }

  /// The one byte form that is hashed.
  public byte[] canonicalBytes() {
    CanonicalWriter out =
        new CanonicalWriter(TAG)
            .text(task.kind().id())
            .hash(model)
            .text(profile.id())
            .hash(input)
            .u32(task.parameters().size());
    task.parameters().forEach(p -> out.text(p.name()).text(p.value()));
    return out.u64(seed)
        .u256(priceMax.units())
        .u64(deadlineSeconds)
        .address(requester)
        .u256(nonce)
        .toBytes();
  }

  /// Reads canonical bytes back.
  ///
  /// @throws MalformedException if they are not the canonical form of a job
  public static Job fromCanonicalBytes(byte[] bytes) {
    CanonicalReader in = new CanonicalReader(bytes, TAG, BYTES_MAX);
    JobKind kind = JobKind.of(in.text(16, "kind"));
    Hash model = in.hash("model");
    Profile profile = Profile.of(in.text(32, "profile"));
    Hash input = in.hash("input");
    int count = in.count(PARAMETERS_MAX, "parameters");
    List<Parameter> parameters = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      parameters.add(
          new Parameter(
              in.text(64, "parameter name"), in.text(PARAMETER_BYTES_MAX, "parameter value")));
    }
    Job job =
        new Job(
            Task.of(kind, parameters),
            model,
            profile,
            input,
            in.u64("seed"),
            new TokenAmount(in.u256("priceMax")),
            in.u64("deadline"),
            in.address("requester"),
            in.u256("nonce"));
    in.end();
    return job;
  }

  /// The typed data that the requester signs.
  public TypedData typedData() {
    return new TypedData(
        TYPE,
        task.kind().id(),
        model,
        profile.id(),
        input,
        task.parameters().stream().map(Parameter::typedData).toList(),
        seed,
        priceMax.units(),
        deadlineSeconds,
        requester,
        nonce);
  }

  /// Signs this job for a chain and contract.
  ///
  /// @throws IllegalArgumentException if the key is not the requester's
  public SignedJob sign(AccountKey key, Domain domain) {
    if (!key.address().equals(requester)) {
      throw new IllegalArgumentException(
          "the key of " + key.address() + " cannot sign for " + requester);
    }
    return new SignedJob(this, key.sign(typedData().digest(domain)));
  }
}

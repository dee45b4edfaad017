package io.rigmesh.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// The vectors that Java, Solidity (contracts/test) and cast (contracts/scripts) all check. They
/// change only when the protocol does; then run with `-Drigmesh.vectors=write` and read the
/// difference.
class GoldenVectorsTest {
  private static final ObjectMapper MAPPER =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  @Test
  void typedDataStaysWhatItWas() throws IOException {
    List<Map<String, Object>> vectors = new ArrayList<>();
    vectors.add(job("generate", Samples.generate()));
    vectors.add(job("embed", Samples.embed()));
    vectors.add(job("train", Samples.train()));
    vectors.add(job("train in milestones", Samples.trainInMilestones()));
    Receipt receipt = Samples.receipt();
    vectors.add(
        vector(
            "receipt",
            receipt.canonicalBytes(),
            receipt.hash(),
            receipt.typedData(),
            Samples.PROVIDER));
    Voucher voucher = Samples.voucher();
    vectors.add(
        vector(
            "voucher",
            voucher.canonicalBytes(),
            voucher.hash(),
            voucher.typedData(),
            Samples.CHANNELS,
            Samples.REQUESTER));
    Offer offer = Samples.offer();
    vectors.add(
        vector("offer", offer.canonicalBytes(), offer.hash(), offer.typedData(), Samples.PROVIDER));
    JobPass pass = Samples.pass();
    vectors.add(
        vector("pass", pass.canonicalBytes(), pass.hash(), pass.typedData(), Samples.REQUESTER));
    check("typed-data.json", Map.of("vectors", vectors));
  }

  @Test
  void milestonesEndWhereTheyDid() throws IOException {
    List<Map<String, Object>> jobs = new ArrayList<>();
    for (int[] shape :
        new int[][] {
          {200, 50, 1}, {200, 50, 3}, {200, 50, 4}, {480, 80, 3}, {130, 20, 3}, {1_000_000, 7, 64}
        }) {
      Task.Train task =
          new Task.Train(
              shape[0], 1, 2, 0.1f, 0, 0f, 1f, shape[1], shape[2], java.util.Optional.empty());
      Map<String, Object> job = new LinkedHashMap<>();
      job.put("steps", shape[0]);
      job.put("checkpointEverySteps", shape[1]);
      job.put("milestones", shape[2]);
      job.put(
          "endSteps",
          java.util.stream.IntStream.rangeClosed(1, shape[2]).map(task::milestoneStep).toArray());
      jobs.add(job);
    }
    check("milestones.json", Map.of("jobs", jobs));
  }

  /// What only contracts read has no canonical bytes.
  @Test
  void whatContractsAreHandedStaysWhatItWas() throws IOException {
    Hash job = Samples.train().id();
    Address requester = Samples.REQUESTER.address();
    Address provider = Samples.PROVIDER.address();
    Acceptance acceptance =
        new Acceptance(job, requester, provider, TokenAmount.of(1_000_000), 1_800_000_000L, 64);
    assertThat(
            acceptance.isSignedBy(
                acceptance.sign(Samples.PROVIDER, Samples.DOMAIN), Samples.DOMAIN))
        .isTrue();
    Approval approval =
        new Approval(job, provider, 3, Samples.hash("link"), TokenAmount.of(46_875));
    assertThat(
            approval.isSignedBy(
                requester, approval.sign(Samples.REQUESTER, Samples.DOMAIN), Samples.DOMAIN))
        .isTrue();
    SessionKey session =
        new SessionKey(
            requester,
            provider,
            Address.ZERO,
            new TokenAmount(BigInteger.TWO.pow(96).subtract(BigInteger.ONE)),
            1_900_000_000L,
            BigInteger.TEN);
    assertThat(
            session.isSignedBy(session.sign(Samples.REQUESTER, Samples.CHANNELS), Samples.CHANNELS))
        .isTrue();
    assertThat(
            session.isSignedBy(session.sign(Samples.REQUESTER, Samples.DOMAIN), Samples.CHANNELS))
        .isFalse();
    check(
        "contract-data.json",
        Map.of(
            "vectors",
            List.of(
                vector("acceptance", acceptance.typedData(), Samples.DOMAIN, Samples.PROVIDER),
                vector("approval", approval.typedData(), Samples.DOMAIN, Samples.REQUESTER),
                vector("session", session.typedData(), Samples.CHANNELS, Samples.REQUESTER))));
  }

  @Test
  void channelIdsStayWhatTheyWere() throws IOException {
    ChannelTerms own = Samples.channel();
    List<ChannelTerms> all =
        List.of(
            own,
            // A session key signs, the chain's own coin pays, and the salt is above a signed long.
            new ChannelTerms(own.payer(), own.payee(), own.payee(), Address.ZERO, -1L),
            new ChannelTerms(own.payer(), own.signer(), own.payee(), own.token(), 0));
    List<Map<String, Object>> channels = new ArrayList<>();
    for (ChannelTerms terms : all) {
      Map<String, Object> channel = new LinkedHashMap<>();
      channel.put("payer", terms.payer().hex());
      channel.put("signer", terms.signer().hex());
      channel.put("payee", terms.payee().hex());
      channel.put("token", terms.token().hex());
      channel.put("salt", Long.toUnsignedString(terms.salt()));
      channel.put("id", terms.id().hex());
      channels.add(channel);
    }
    check("channels.json", Map.of("channels", channels));
  }

  @Test
  void merkleRootsStayWhatTheyWere() throws IOException {
    List<Map<String, Object>> trees = new ArrayList<>();
    for (int count : new int[] {0, 1, 2, 3, 4, 5, 7, 8, 13}) {
      List<Hash> leaves = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        leaves.add(MerkleTree.leaf(("leaf " + i).getBytes(StandardCharsets.US_ASCII)));
      }
      Map<String, Object> tree = new LinkedHashMap<>();
      tree.put("leaves", leaves.stream().map(Hash::hex).toList());
      tree.put("root", MerkleTree.root(leaves).hex());
      if (count > 0) {
        tree.put("index", count - 1);
        tree.put("path", MerkleTree.path(leaves, count - 1).stream().map(Hash::hex).toList());
      }
      trees.add(tree);
    }
    check("merkle.json", Map.of("trees", trees));
  }

  @Test
  void commitmentChainsStayWhatTheyWere() throws IOException {
    Hash job = Samples.generate().id();
    Hash tokens = CommitmentChain.tokenDigest(List.of(new int[] {1, 2, 70_000}));
    CommitmentChain chain =
        CommitmentChain.start(job, Samples.hash("model"), Profile.F32_V1, tokens);
    chain.token(3, 17, new float[] {1f, -0f, Float.MIN_VALUE});
    chain.vector(4, new float[] {0.5f});
    chain.step(5, 2.25f, 1024, Hash.ZERO);
    Map<String, Object> vector = new LinkedHashMap<>();
    vector.put("tokenDigest", tokens.hex());
    vector.put("start", chain.start().hex());
    vector.put("links", chain.links().stream().map(Hash::hex).toList());
    vector.put("root", chain.root().hex());
    check("commitments.json", vector);
  }

  private static Map<String, Object> job(String name, Job job) {
    return vector(name, job.canonicalBytes(), job.id(), job.typedData(), Samples.REQUESTER);
  }

  private static Map<String, Object> vector(
      String name, byte[] canonical, Hash id, TypedData typed, AccountKey key) {
    return vector(name, canonical, id, typed, Samples.DOMAIN, key);
  }

  private static Map<String, Object> vector(
      String name, byte[] canonical, Hash id, TypedData typed, Domain domain, AccountKey key) {
    Map<String, Object> vector = new LinkedHashMap<>();
    vector.put("name", name);
    vector.put("canonicalBytes", "0x" + HexFormat.of().formatHex(canonical));
    vector.put("sha256", id.hex());
    vector.putAll(vector(name, typed, domain, key));
    return vector;
  }

  private static Map<String, Object> vector(
      String name, TypedData typed, Domain domain, AccountKey key) {
    Hash digest = typed.digest(domain);
    Map<String, Object> vector = new LinkedHashMap<>();
    vector.put("name", name);
    vector.put("domainSeparator", TypedData.separator(domain).hex());
    vector.put("structHash", typed.structHash().hex());
    vector.put("digest", digest.hex());
    vector.put("privateKey", "0x" + HexFormat.of().formatHex(key.secret()));
    vector.put("signer", key.address().hex());
    vector.put("signature", key.sign(digest).hex());
    vector.put("document", typed.document(domain));
    return vector;
  }

  private static void check(String file, Object content) throws IOException {
    Path path = Path.of("src/test/resources/vectors", file);
    String now = MAPPER.writeValueAsString(content) + "\n";
    if ("write".equals(System.getProperty("rigmesh.vectors"))) {
      Files.writeString(path, now);
    }
    assertThat(Files.readString(path)).isEqualTo(now);
  }
}

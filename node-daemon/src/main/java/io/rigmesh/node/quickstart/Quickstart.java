package io.rigmesh.node.quickstart;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.rigmesh.ledger.LedgerException;
import io.rigmesh.ledger.dev.DevChain;
import io.rigmesh.node.client.ClientException;
import io.rigmesh.node.client.DaemonClient;
import io.rigmesh.node.jobs.JobDraft;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Evidence;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Profile;
import io.rigmesh.protocol.Task;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.worker.device.Devices;
import io.rigmesh.worker.format.SafetensorsFile;
import io.rigmesh.worker.task.ModelShelf;
import io.rigmesh.worker.verify.Materials;
import io.rigmesh.worker.verify.Samples;
import io.rigmesh.worker.verify.Verdict;
import io.rigmesh.worker.verify.Verifier;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Stream;

/// Walks the main job through once: everything that a market of three needs, on this machine and
/// for real, and everything stopped again at the end.
public final class Quickstart implements AutoCloseable {
  private static final ObjectMapper MAPPER =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
  private static final TokenAmount ALLOWANCE = TokenAmount.of(100_000_000);
  private static final Duration OFFERS_MAX = Duration.ofSeconds(60);
  private static final Duration REDEMPTION_MAX = Duration.ofSeconds(60);
  private static final int PROVIDERS = 2;
  private static final int SENTENCES = 64;
  private static final int SAMPLES_PER_RECEIPT = 3;
  private static final Task.Train TRAINING =
      new Task.Train(
          480,
          8,
          128,
          0.003f,
          20,
          0.1f,
          1f,
          80,
          3,
          Optional.of(new Task.Architecture(4, 128, 4, 2, 352, 2048)));
  private static final Task.Generate GENERATION = new Task.Generate(96, 0.7f, 40, 0.95f);

  private final Options options;
  private final PrintStream out;
  private final Deque<AutoCloseable> running = new ArrayDeque<>();
  private boolean closed;

  /// What to run it on.
  ///
  /// @param work an empty or missing folder that everything is kept in
  /// @param text the file to train on
  /// @param miniLm a model folder of all-MiniLM-L6-v2
  /// @param anvil the development chain's program
  /// @param launcher the program `bin/rigmesh`
  /// @param firstPort the first of five free loopback ports
  /// @param progress shows a job, given its name
  public record Options(
      Path work,
      Path text,
      Path miniLm,
      Path anvil,
      Path launcher,
      int firstPort,
      Function<String, Progress> progress) {}

  /// A run that has not begun.
  public Quickstart(Options options, PrintStream out) {
    this.options = options;
    this.out = out;
  }

  /// Runs all of it. What was started keeps running until [#close].
  ///
  /// @param json gets the results, if given
  /// @throws QuickstartException if it cannot go on
  public void run(Optional<Path> json) {
    try {
      Summary summary = walk(Ports.from(options.firstPort()));
      if (json.isPresent()) {
        Files.write(json.get(), MAPPER.writeValueAsBytes(summary));
      }
      summary.print(out);
      if (!summary.verify().exact()) {
        throw new QuickstartException(
            "a receipt was not exact; the receipts and outputs are in " + options.work());
      }
    } catch (IOException e) {
      throw new QuickstartException(
          "cannot write below "
              + options.work()
              + ": "
              + e.getMessage()
              + "; is there space, and is the folder yours?",
          e);
    } catch (LedgerException | ClientException e) {
      throw new QuickstartException(String.valueOf(e.getMessage()), e);
    }
  }

  private Summary walk(Ports ports) throws IOException {
    say("starting a development chain and deploying the contracts");
    Files.createDirectories(options.work());
    DevChain chain =
        opened(
            DevChain.start(
                new DevChain.Settings(
                    options.anvil(),
                    ports.chain(),
                    31_337,
                    Optional.of(Duration.ofSeconds(1)),
                    Optional.empty())));
    Mint mint = opened(Mint.open(chain, options.work().resolve("mint.db")));
    Path deployment = options.work().resolve("deployment.json");
    mint.deployment().write(deployment);

    say("starting two providers and a requester, three daemons with three accounts");
    ChildNode providerNode =
        startNode("provider", ports.provider(), chain, network(ports.bootstrap(), ""), provider());
    DaemonClient provider = providerNode.awaitClient();
    String bootstrap =
        "/ip4/127.0.0.1/tcp/"
            + ports.bootstrap()
            + "/p2p/"
            + provider.get("/v1/node").path("peer").asText();
    // All that the others are told of the network is this one address.
    ChildNode anotherNode =
        startNode("provider-2", ports.another(), chain, network(0, bootstrap), dearProvider());
    ChildNode requesterNode =
        startNode("requester", ports.requester(), chain, network(0, bootstrap), requester());
    DaemonClient another = anotherNode.awaitClient();
    DaemonClient requester = requesterNode.awaitClient();
    Address earner = account(provider);
    mint.endow(earner, TokenAmount.ZERO);
    mint.endow(account(another), TokenAmount.ZERO);
    mint.endow(account(requester), ALLOWANCE);
    Hash miniLm = provider.uploadFolder(options.miniLm());
    providerNode.awaitReady(provider);
    anotherNode.awaitReady(another);
    requesterNode.awaitReady(requester);
    JsonNode offers = awaitOffers(requester, miniLm);
    say("the requester has heard the offers of " + offers.size() + " providers");

    say("three signed jobs, each to the best offer, the training in three milestones:");
    Hash text = requester.upload(options.text());
    JobRun.Outcome trained = run(requester, "train", draft(TRAINING, Optional.empty(), text));
    Hash model = Hash.fromHex(trained.view().path("outputModel").asText());
    Path promptFile = write("prompt.txt", "The ");
    JobRun.Outcome generated =
        run(
            requester,
            "generate",
            draft(GENERATION, Optional.of(model), requester.upload(promptFile)));
    List<String> sentences = sentences();
    Path sentencesFile = write("sentences.txt", String.join("\n", sentences) + "\n");
    JobRun.Outcome embedded =
        run(
            requester,
            "embed",
            draft(new Task.Embed(), Optional.of(miniLm), requester.upload(sentencesFile)));

    say("recomputing samples of the three receipts on this machine");
    Path trainedModel = trained.folder().resolve("model");
    Summary.Verify verify =
        verify(
            List.of(
                new Check(
                    trained, new Materials(Optional.empty(), options.text(), trained.folder())),
                new Check(
                    generated,
                    new Materials(Optional.of(trainedModel), promptFile, generated.folder())),
                new Check(
                    embedded,
                    new Materials(
                        Optional.of(options.miniLm()), sentencesFile, embedded.folder()))));

    return new Summary(
        trainSummary(trained),
        generateSummary(generated),
        embedSummary(embedded, sentences.size()),
        verify,
        market(requester, trained),
        settlement(chain, mint, earner, provider, requester, List.of(trained, generated, embedded)),
        Stream.of(trained, generated, embedded)
            .map(outcome -> paid(outcome, mint.deployment().escrow()))
            .toList(),
        milestones(trained),
        urls(providerNode, anotherNode, requesterNode));
  }

  /// A receipt and what it is recomputed from.
  private record Check(JobRun.Outcome outcome, Materials materials) {}

  private static JobDraft draft(Task task, Optional<Hash> model, Hash input) {
    return new JobDraft(
        task,
        model,
        input,
        Profile.F32_V1,
        OptionalLong.of(7),
        Optional.empty(),
        3_600,
        Optional.empty());
  }

  private JobRun.Outcome run(DaemonClient requester, String name, JobDraft draft) {
    return JobRun.run(
        requester,
        draft,
        options.work().resolve("out").resolve(name),
        options.progress().apply(name));
  }

  private Summary.Verify verify(List<Check> checks) {
    long seed = new SecureRandom().nextLong();
    long checked = 0;
    boolean exact = true;
    try (var kernels = Devices.open("cpu", Runtime.getRuntime().availableProcessors());
        ModelShelf shelf = ModelShelf.onCpu(kernels)) {
      Verifier verifier = new Verifier(kernels, shelf);
      for (Check check : checks) {
        Verdict verdict =
            verifier.verify(
                check.outcome().receipt(),
                check.materials(),
                new Samples.Some(SAMPLES_PER_RECEIPT, seed),
                _ -> {});
        say("  " + verdict.sentence());
        switch (verdict) {
          case Verdict.Exact e -> checked += e.stepsChecked();
          case Verdict.Differs _, Verdict.Invalid _ -> exact = false;
        }
      }
    }
    return new Summary.Verify(checked, exact);
  }

  private static Summary.Train trainSummary(JobRun.Outcome outcome) {
    Evidence.Training evidence = (Evidence.Training) outcome.receipt().evidence();
    return new Summary.Train(
        evidence.losses().size(),
        evidence.losses().getFirst(),
        evidence.losses().getLast(),
        outcome.tokensPerSecond(),
        outcome.receiptFile().toString());
  }

  private static Summary.Generate generateSummary(JobRun.Outcome outcome) throws IOException {
    JsonNode output = MAPPER.readTree(Files.readAllBytes(outcome.folder().resolve("output.json")));
    return new Summary.Generate(
        output.path("text").asText(),
        output.path("tokens").size(),
        outcome.tokensPerSecond(),
        outcome.receiptFile().toString());
  }

  private static Summary.Embed embedSummary(JobRun.Outcome outcome, int sentences) {
    try (SafetensorsFile file =
        SafetensorsFile.open(outcome.folder().resolve("vectors.safetensors"))) {
      float[] vectors = file.floats("embeddings");
      int width = vectors.length / sentences;
      double tokens = outcome.receipt().receipt().receipt().meter().tokensIn();
      return new Summary.Embed(
          sentences,
          outcome.tokensPerSecond() * sentences / tokens,
          dot(vectors, 0, 1, width),
          dot(vectors, 0, 2, width),
          outcome.receiptFile().toString());
    }
  }

  /// The cosine of two rows, which are of length one already.
  private static double dot(float[] vectors, int a, int b, int width) {
    double sum = 0;
    for (int i = 0; i < width; i++) {
      sum += (double) vectors[a * width + i] * vectors[b * width + i];
    }
    return sum;
  }

  private static Summary.Settlement settlement(
      DevChain chain,
      Mint mint,
      Address earner,
      DaemonClient provider,
      DaemonClient requester,
      List<JobRun.Outcome> jobs) {
    JsonNode channel = awaitRedeemed(provider);
    var hashes = new TreeSet<String>();
    long gas = 0;
    long redemptionGas = 0;
    for (DaemonClient side : List.of(provider, requester)) {
      for (JsonNode t : side.get("/v1/wallet").path("transactions")) {
        if (t.has("gasUsed") && hashes.add(t.path("transaction").asText())) {
          long used = t.path("gasUsed").asLong();
          gas += used;
          redemptionGas += t.path("purpose").asText().equals("channel-redeem") ? used : 0;
        }
      }
    }
    return new Summary.Settlement(
        chain.endpoint().toString(),
        List.copyOf(hashes),
        gas,
        gas / jobs.size(),
        redemptionGas,
        mint.balance(earner).units().longValueExact(),
        channel.path("redeemed").asLong(),
        channel.path("id").asText(),
        mint.deployment().channels().hex(),
        mint.deployment().escrow().hex(),
        account(requester).hex(),
        mint.deployment().token().hex(),
        earner.hex());
  }

  /// What a job cost, and whether its channel or the escrow paid it.
  private static Summary.Paid paid(JobRun.Outcome outcome, Address escrow) {
    JsonNode view = outcome.view();
    boolean byChannel = view.has("channel");
    return new Summary.Paid(
        outcome.receipt().job().job().task().kind().id(),
        outcome.id(),
        view.path("paid").asLong(),
        byChannel ? "channel" : "escrow",
        byChannel ? view.path("channel").asText() : escrow.hex());
  }

  /// The parts in which the training was proven and paid.
  private static Summary.Milestones milestones(JobRun.Outcome trained) {
    List<Summary.Milestone> parts = new ArrayList<>();
    for (JsonNode part : trained.view().path("milestones")) {
      parts.add(
          new Summary.Milestone(
              part.path("number").asInt(),
              part.path("steps").asLong(),
              part.path("amountDue").asLong(),
              part.path("state").asText()));
    }
    return new Summary.Milestones(trained.id(), trained.milestones(), parts);
  }

  /// Waits until the provider has handed its newest voucher in.
  private static JsonNode awaitRedeemed(DaemonClient provider) {
    Instant end = Instant.now().plus(REDEMPTION_MAX);
    while (Instant.now().isBefore(end)) {
      for (JsonNode channel : provider.get("/v1/channels").path("channels")) {
        long promised = channel.path("promised").asLong();
        if (promised > 0 && channel.path("redeemed").asLong() == promised) {
          return channel;
        }
      }
      ChildNode.pause();
    }
    throw new QuickstartException(
        "the provider did not redeem its vouchers within "
            + REDEMPTION_MAX.toSeconds()
            + " seconds; its log is in its folder");
  }

  /// Waits until the requester has heard both providers, and that one of them has the model.
  private static JsonNode awaitOffers(DaemonClient requester, Hash model) {
    Instant end = Instant.now().plus(OFFERS_MAX);
    while (Instant.now().isBefore(end)) {
      JsonNode offers = requester.get("/v1/offers").path("offers");
      boolean stocked = offers.findValuesAsText("root").stream().anyMatch(model.hex()::equals);
      if (offers.size() == PROVIDERS && stocked) {
        return offers;
      }
      ChildNode.pause();
    }
    throw new QuickstartException(
        "the requester did not hear the offers of both providers within "
            + OFFERS_MAX.toSeconds()
            + " seconds; the daemons' logs are in their folders");
  }

  /// Which provider was chosen, and why.
  private static Summary.Market market(DaemonClient requester, JobRun.Outcome job) {
    List<Summary.Quote> quotes = new ArrayList<>();
    for (JsonNode offer : requester.get("/v1/offers").path("offers")) {
      for (JsonNode model : offer.path("models")) {
        if (model.path("kind").asText().equals("train") && !model.has("root")) {
          quotes.add(
              new Summary.Quote(
                  offer.path("peer").asText(), Long.parseLong(model.path("priceIn").asText())));
        }
      }
    }
    return new Summary.Market(
        requester.get("/v1/network").path("peers").asInt(),
        job.view().path("providerPeer").asText(),
        job.choice(),
        quotes);
  }

  private static Map<String, String> urls(
      ChildNode provider, ChildNode another, ChildNode requester) {
    Map<String, String> urls = new LinkedHashMap<>();
    urls.put("provider", provider.url());
    urls.put("provider-2", another.url());
    urls.put("requester", requester.url());
    urls.put("metrics", provider.url() + "/metrics");
    urls.put("health", provider.url() + "/health/ready");
    urls.put("openapi", provider.url() + "/openapi.json");
    return urls;
  }

  private ChildNode startNode(
      String name, int port, DevChain chain, List<String> network, List<String> settings)
      throws IOException {
    Path home = options.work().resolve(name);
    Files.createDirectories(home);
    List<String> lines = new ArrayList<>();
    lines.add("rest:");
    lines.add("  port: " + port);
    lines.add("chain:");
    lines.add("  rpc-urls: " + chain.endpoint());
    lines.add("  deployment-file: " + options.work().resolve("deployment.json"));
    lines.add("  poll-millis: 250");
    lines.addAll(network);
    lines.addAll(settings);
    Files.write(home.resolve("rigmesh.yaml"), lines);
    return opened(ChildNode.start(name, options.launcher(), home, port));
  }

  /// On loopback alone, so that the run meets no other market on the local network.
  private static List<String> network(int port, String bootstrap) {
    return List.of(
        "network:",
        "  listen: /ip4/127.0.0.1/tcp/" + port,
        "  bootstrap: " + bootstrap,
        "  kademlia: server",
        "  private-network: true",
        "  mdns: false",
        "  port-mapping: false");
  }

  private static List<String> provider() {
    return List.of(
        "provider:",
        "  enabled: true",
        "workers:",
        "  heap-mebibytes-max: 384",
        // Gas costs nothing on a development chain, so that vouchers are redeemed as they come.
        "channels:",
        "  units-per-ether: 1",
        "  redeem-every-seconds: 2");
  }

  /// Asks half as much again, so that it stands by; its worker is small.
  private static List<String> dearProvider() {
    return List.of(
        "provider:",
        "  enabled: true",
        "  price-minimum: 1500",
        "  train-price-per-million-tokens: 60000",
        "  generate-price-per-million-tokens-in: 30000",
        "  generate-price-per-million-tokens-out: 90000",
        "  embed-price-per-million-tokens: 15000",
        "workers:",
        "  threads: 1",
        "  heap-mebibytes-max: 320");
  }

  private static List<String> requester() {
    return List.of("provider:", "  enabled: false", "workers:", "  heap-mebibytes-max: 288");
  }

  private static Address account(DaemonClient node) {
    return Address.fromHex(node.get("/v1/node").path("account").asText());
  }

  /// Three sentences whose meaning everyone can compare, and lines of the text.
  private List<String> sentences() throws IOException {
    List<String> sentences =
        new ArrayList<>(List.of("a cat", "a feline", "a graphics processing unit"));
    try (Stream<String> lines = Files.lines(options.text(), StandardCharsets.UTF_8)) {
      lines
          .map(String::strip)
          .filter(l -> l.length() >= 40 && l.length() <= 200)
          .limit(SENTENCES - sentences.size())
          .forEach(sentences::add);
    }
    return List.copyOf(sentences);
  }

  private Path write(String name, String text) throws IOException {
    return Files.writeString(options.work().resolve(name), text);
  }

  private void say(String line) {
    out.println(line);
  }

  private <T extends AutoCloseable> T opened(T resource) {
    synchronized (running) {
      if (closed) {
        closeOne(resource);
        throw new QuickstartException("interrupted");
      }
      running.push(resource);
    }
    return resource;
  }

  /// Stops everything, the last started first.
  @Override
  public void close() {
    synchronized (running) {
      closed = true;
      while (!running.isEmpty()) {
        closeOne(running.pop());
      }
    }
  }

  private static void closeOne(AutoCloseable resource) {
    try {
      resource.close();
    } catch (Exception e) {
      // The rest must be stopped as well; a process that does not end is killed by its own close.
      System.err.println("rigmesh: while stopping: " + e.getMessage());
    }
  }
}

package io.rigmesh.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rigmesh.node.client.DaemonClient;
import io.rigmesh.protocol.Hash;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Lays out what a completed job needs to be verified anywhere.
@Command(
    name = "fetch",
    description = {
      "Save a completed job's receipt.json, input, output/ and, where it used one, model/ in a new"
          + " folder: all that 'rigmesh verify' needs."
    })
final class JobFetchCommand implements Callable<Integer> {
  @Mixin private NodeOptions node;
  @Mixin private OutputOptions output;

  @Parameters(index = "0", paramLabel = "ID", description = "The job's id.")
  private String id;

  @Parameters(index = "1", paramLabel = "DIR", description = "The folder to make.")
  private Path folder;

  @Option(names = "--no-model", description = "Leave the model out.")
  private boolean noModel;

  @Override
  public Integer call() {
    Console console = Console.ofProcess();
    DaemonClient client = node.client();
    String job = JobText.id(id);
    JsonNode view = client.get("/v1/jobs/" + job);
    byte[] receipt = client.bytes("/v1/jobs/" + job + "/receipt");
    JsonNode artifacts = client.get("/v1/jobs/" + job + "/artifacts");
    try {
      if (Files.exists(folder)) {
        throw CliException.hopeless(folder + " is there already; name a new folder");
      }
      Files.createDirectories(folder);
      Files.write(folder.resolve("receipt.json"), receipt);
    } catch (IOException e) {
      throw CliException.hopeless("cannot write to " + folder + ": " + e.getMessage(), e);
    }
    ObjectNode made = JsonNodeFactory.instance.objectNode();
    made.put("receipt", folder.resolve("receipt.json").toString());
    for (JsonNode file : artifacts.path("files")) {
      String path = file.path("path").asText();
      client.download(
          "/v1/jobs/" + job + "/artifacts/" + DaemonClient.escaped(path),
          inside(folder.resolve("output"), path));
    }
    made.put("output", folder.resolve("output").toString());
    client.download(
        "/v1/blobs/" + view.path("job").path("input").asText(), folder.resolve("input"));
    made.put("input", folder.resolve("input").toString());
    Hash model = Hash.fromHex(view.path("job").path("model").asText());
    if (!model.isZero() && !noModel) {
      for (JsonNode file : client.get("/v1/folders/" + model.hex()).path("files")) {
        client.download(
            "/v1/blobs/" + file.path("root").asText(),
            inside(folder.resolve("model"), file.path("path").asText()));
      }
      made.put("model", folder.resolve("model").toString());
    }
    if (output.json()) {
      console.print(made);
    } else {
      made.properties().forEach(e -> console.print(e.getKey() + "  " + e.getValue().asText()));
    }
    return ExitCode.OK;
  }

  /// A manifest's path never leaves its folder; here the daemon's word is not taken for it.
  private static Path inside(Path folder, String path) {
    Path file = folder.resolve(path).normalize();
    if (!file.startsWith(folder.normalize())) {
      throw CliException.hopeless("the output names the path '" + path + "', which leaves it");
    }
    return file;
  }
}

package io.rigmesh.node.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import picocli.CommandLine;

/// Loads what the commands that talk to the daemon need, once, at the end of the first of them: the
/// JVM then writes its class-data archive, and every later command starts from that.
final class ArchivedClasses {
  private ArchivedClasses() {}

  static void load() {
    String _ = CommandTree.commandLine().getUsageMessage(CommandLine.Help.Ansi.OFF);
    try (HttpClient http = HttpClient.newHttpClient()) {
      new ObjectMapper().readTree("{\"a\":[1,2.5,\"b\",null,true]}");
      // Nothing listens on the discard port; the attempt itself loads the client.
      http.send(
          HttpRequest.newBuilder(URI.create("http://127.0.0.1:9/")).build(),
          BodyHandlers.ofByteArray());
    } catch (IOException _) {
      // As expected.
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}

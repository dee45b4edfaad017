package io.rigmesh.worker.task;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rigmesh.worker.generate.Logprobs;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/// What the model thought of a token and of others in its place: natural logarithms of
/// probabilities, before penalties, bias and temperature.
///
/// @param text what the token alone looks like; U+FFFD where it is a part of a character
/// @param logprob the token's own
/// @param likeliest the likeliest tokens, as many as were asked for
public record TokenLogprobs(String text, float logprob, List<Candidate> likeliest) {
  /// The name of the file that the output folder holds where they were asked for.
  public static final String FILE = "logprobs.jsonl";

  private static final ObjectMapper JSON = new ObjectMapper();

  /// Copies the list.
  public TokenLogprobs {
    likeliest = List.copyOf(likeliest);
  }

  /// One of the likeliest tokens.
  public record Candidate(int id, String text, float logprob) {}

  /// Adds what tokens look like.
  public static TokenLogprobs of(Generation generation, int tokenId, Logprobs logprobs) {
    return new TokenLogprobs(
        generation.tokenText(tokenId),
        logprobs.chosen(),
        logprobs.likeliest().stream()
            .map(entry ->
                new Candidate(
                    entry.tokenId(), generation.tokenText(entry.tokenId()), entry.logprob()))
            .toList());
  }

  /// The line of `logprobs.jsonl`: `{"logprob":..,"likeliest":[[id,logprob],..]}`, numbers as the
  /// shortest decimals that read back as the same binary32.
  public byte[] line() {
    ObjectNode root = JSON.createObjectNode().put("logprob", logprob);
    ArrayNode list = root.putArray("likeliest");
    likeliest.forEach(candidate -> list.addArray().add(candidate.id()).add(candidate.logprob()));
    try {
      return (JSON.writeValueAsString(root) + "\n").getBytes(StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException("a tree of numbers is always JSON", e);
    }
  }
}

package io.rigmesh.node.network.job;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.protobuf.ByteString;
import io.rigmesh.protocol.GenerateOptions;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.MalformedException;
import io.rigmesh.protocol.wire.JobWire;

/// Tokens of a generation, as events keep them and as they travel.
final class TokenEvents {
  private TokenEvents() {}

  static JobWire.Token.Builder write(JsonNode json) {
    JobWire.Token.Builder token =
        JobWire.Token.newBuilder()
            .setPosition(json.path("position").asLong())
            .setId(json.path("id").asInt())
            .setText(json.path("text").asText())
            .setLink(ByteString.copyFrom(Hash.fromHex(json.path("link").asText()).bytes()))
            .setFinish(json.path("finish").asText());
    JsonNode told = json.path("logprobs");
    if (told.isObject()) {
      JobWire.Logprobs.Builder logprobs =
          token
              .getLogprobsBuilder()
              .setText(told.path("text").asText())
              .setLogprob(told.path("logprob").floatValue());
      for (JsonNode candidate : told.path("likeliest")) {
        logprobs
            .addLikeliestBuilder()
            .setId(candidate.path("id").asInt())
            .setText(candidate.path("text").asText())
            .setLogprob(candidate.path("logprob").floatValue());
      }
    }
    return token;
  }

  /// @throws MalformedException if a number is none, or there are too many candidates
  static ObjectNode read(JobWire.Token token) {
    ObjectNode node =
        JsonNodeFactory.instance
            .objectNode()
            .put("position", token.getPosition())
            .put("id", token.getId())
            .put("text", token.getText())
            .put("link", Hash.of(token.getLink().toByteArray()).hex());
    if (token.hasLogprobs()) {
      JobWire.Logprobs logprobs = token.getLogprobs();
      if (logprobs.getLikeliestCount() > GenerateOptions.LOGPROBS_MAX) {
        throw new MalformedException(
            "a token has at most " + GenerateOptions.LOGPROBS_MAX + " candidates");
      }
      ArrayNode list =
          node.putObject("logprobs")
              .put("text", logprobs.getText())
              .put("logprob", finite(logprobs.getLogprob()))
              .putArray("likeliest");
      for (JobWire.Logprobs.Candidate candidate : logprobs.getLikeliestList()) {
        list.addObject()
            .put("id", candidate.getId())
            .put("text", candidate.getText())
            .put("logprob", finite(candidate.getLogprob()));
      }
    }
    if (!token.getFinish().isEmpty()) {
      node.put("finish", token.getFinish());
    }
    return node;
  }

  private static float finite(float value) {
    if (!Float.isFinite(value)) {
      throw new MalformedException("a logarithm of a probability is a finite number");
    }
    return value;
  }
}

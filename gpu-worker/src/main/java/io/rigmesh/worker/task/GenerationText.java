package io.rigmesh.worker.task;

import io.rigmesh.worker.generate.TextStops;
import io.rigmesh.worker.tokenizer.IncrementalDecoder;
import io.rigmesh.worker.tokenizer.Tokenizer;
import java.util.List;

/// The text of generated tokens as it grows: special tokens left out, characters whole, ended
/// before the first stop text. Whoever has the tokens gets the same text. Serves one thread at a
/// time.
public final class GenerationText {
  private final IncrementalDecoder decoder;
  private final TextStops stops;

  GenerationText(Tokenizer tokenizer, List<String> stops) {
    this.decoder = new IncrementalDecoder(tokenizer, true);
    this.stops = new TextStops(stops);
  }

  /// Takes the next token and returns the text that is certain with it.
  public String append(int tokenId) {
    return stops.append(decoder.append(tokenId));
  }

  /// Whether a stop text ended the text, with the token last taken.
  public boolean stopped() {
    return stops.stopped();
  }

  /// The rest, after the last token. An unfinished character comes out as U+FFFD; what comes out
  /// only now is not searched for stop texts.
  public String finish() {
    return stops.stopped() ? "" : stops.finish() + decoder.finish();
  }
}

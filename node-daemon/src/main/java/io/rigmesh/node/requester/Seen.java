package io.rigmesh.node.requester;

import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.Meter;
import io.rigmesh.protocol.Task;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.function.Supplier;

/// What has come of a job whose provider is paid while it works, and what of its claims that bears
/// out: nothing is paid for on a claim alone. A generation is seen by its tokens, of which the
/// first shows that the prompt was read. Of an embedding its provider only says how many sentences
/// are done; this node has their text, and knows how many tokens they have at most. Used by one
/// thread.
final class Seen {
  private static final int BUFFER_BYTES = 1 << 16;

  private final Job job;
  private final Supplier<InputStream> text;
  private long tokens;
  private long sentences;

  /// How far the text of an embedding was looked through: lines, and their bytes with each line's
  /// end, also where the last lacks it.
  private long lines;

  private long lineBytes;
  private boolean isWholeText;

  /// What came before.
  ///
  /// @param text opens the job's input, of an embedding
  /// @param tokens of a generation
  /// @param sentences of an embedding that were told to be done
  Seen(Job job, Supplier<InputStream> text, long tokens, long sentences) {
    this.job = job;
    this.text = text;
    this.tokens = tokens;
    this.sentences = sentences;
  }

  /// A token has come.
  void token() {
    tokens++;
  }

  /// The provider says how many steps are done.
  void progress(long step) {
    sentences = Math.max(sentences, step);
  }

  /// Whether all that a claim is for has come.
  boolean isAllOf(Meter claimed) {
    return switch (job.task()) {
      case Task.Generate _ -> tokens > 0 && claimed.tokensOut() <= tokens;
      case Task.Embed _ -> claimed.steps() > 0 && claimed.steps() <= sentences;
      case Task.Train _ -> false;
    };
  }

  /// What of a claim can be true as far as this node can tell.
  ///
  /// @throws UncheckedIOException if the job's input cannot be read
  Meter atMost(Meter claimed) {
    return job.task() instanceof Task.Embed
        ? new Meter(Math.min(claimed.tokensIn(), readMax()), claimed.tokensOut(), claimed.steps())
        : claimed;
  }

  /// The most tokens that the sentences have which are told to be done: one of a byte, and two
  /// around each sentence, as prices are reckoned.
  private long readMax() {
    if (lines < sentences && !isWholeText) {
      try {
        look();
      } catch (IOException e) {
        throw new UncheckedIOException(
            "The input of job " + job.id() + " cannot be read: " + e.getMessage(), e);
      }
    }
    // A line's end stands for one of the two.
    return lineBytes + lines;
  }

  private void look() throws IOException {
    try (InputStream in = text.get()) {
      in.skipNBytes(lineBytes);
      byte[] buffer = new byte[BUFFER_BYTES];
      boolean inLine = false;
      while (lines < sentences) {
        int count = in.read(buffer);
        if (count < 0) {
          isWholeText = true;
          if (inLine) {
            lines++;
            lineBytes++;
          }
          return;
        }
        for (int at = 0; at < count && lines < sentences; at++) {
          lineBytes++;
          inLine = buffer[at] != '\n';
          lines += inLine ? 0 : 1;
        }
      }
    }
  }
}

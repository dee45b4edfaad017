package io.rigmesh.node.network.blob;

import io.rigmesh.libp2p.BlockingStream;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.node.blob.BlobRefusedException;
import io.rigmesh.node.blob.Blobs;
import io.rigmesh.node.blob.IncomingBlob;
import io.rigmesh.node.network.Blames;
import io.rigmesh.node.network.PeerStream;
import io.rigmesh.node.network.Streams;
import io.rigmesh.protocol.FolderManifest;
import io.rigmesh.protocol.Hash;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Fetches blobs into the store: described first, then chunk by chunk over a few streams, each
/// chunk checked before it is written. A broken stream is opened again and goes on where it was; a
/// peer that sends a wrong byte is blamed, let go, and asked no more.
///
/// Every method blocks. Safe for use by several threads: a blob is fetched once at a time.
public final class BlobFetcher {
  private static final Logger LOG = LoggerFactory.getLogger(BlobFetcher.class);

  /// The most streams for one blob.
  private static final int STREAMS_MAX = 4;

  /// How many chunks one request asks for.
  private static final int BATCH = 4;

  private static final Duration ANSWER_MAX = Duration.ofSeconds(30);

  /// How often it is tried again without a single new chunk.
  private static final int FRUITLESS_MAX = 5;

  /// The time that a folder may take beside that of its bytes: many small files take theirs, too.
  private static final Duration FOLDER_MAX = Duration.ofMinutes(10);

  private static final long BYTES_SECONDS_MAX = TimeUnit.DAYS.toSeconds(30);

  private static final Duration PAUSE = Duration.ofMillis(200);

  private final Streams streams;
  private final Blobs blobs;
  private final Blames blames;
  private final Function<Hash, List<PeerId>> providers;
  private final Map<Hash, ReentrantLock> underWay = new ConcurrentHashMap<>();
  private final LongAdder bytesReceived = new LongAdder();

  /// The fetcher of a node.
  ///
  /// @param providers looks a blob's providers up in the network
  public BlobFetcher(
      Streams streams, Blobs blobs, Blames blames, Function<Hash, List<PeerId>> providers) {
    this.streams = streams;
    this.blobs = blobs;
    this.blames = blames;
    this.providers = providers;
  }

  /// How many bytes of blobs were fetched since the daemon started.
  public long bytesReceived() {
    return bytesReceived.sum();
  }

  /// Fetches a blob, unless it is here.
  ///
  /// @param first who is asked first; others are looked for in the network
  /// @throws BlobNotHereException if nobody hands it out
  /// @throws Libp2pException if nobody who may have it can be reached
  /// @throws BlobRefusedException if it is larger than this node takes
  public void fetch(BlobSource first, Hash root, long bytesMax) {
    if (blobs.has(root)) {
      return;
    }
    ReentrantLock lock = underWay.computeIfAbsent(root, _ -> new ReentrantLock());
    lock.lock();
    try {
      if (!blobs.has(root)) {
        new Fetch(root, bytesMax, first).run();
      }
    } finally {
      lock.unlock();
      underWay.remove(root, lock);
    }
  }

  /// Fetches a folder's manifest, unless it is here.
  ///
  /// @throws PeerMisbehaviourException if the blob of that root is no manifest
  public FolderManifest manifest(BlobSource first, Hash root) {
    fetch(first, root, FolderManifest.BYTES_MAX);
    return blobs
        .manifest(root)
        .orElseThrow(() ->
            new PeerMisbehaviourException(
                BlobProtocol.ID + ": the blob " + root + " is no folder's manifest"));
  }

  /// Fetches a folder with every file that is not here. In all that takes no longer than
  /// [#FOLDER_MAX] and what its bytes take at the least rate of a stream: otherwise it is given up,
  /// and goes on with the next call where it was.
  ///
  /// @throws PeerMisbehaviourException if a file is not as large as the manifest says
  public FolderManifest folder(BlobSource first, Hash root) {
    FolderManifest manifest = manifest(first, root);
    Duration most =
        FOLDER_MAX.plusSeconds(
            Math.clamp(
                manifest.sizeBytes() / BlockingStream.BYTES_PER_SECOND_MIN, 0, BYTES_SECONDS_MAX));
    long begun = System.nanoTime();
    for (FolderManifest.File file : manifest.files()) {
      if (System.nanoTime() - begun > most.toNanos()) {
        throw new Libp2pException(
            "the folder %s of %d bytes did not come within %d s"
                .formatted(root, manifest.sizeBytes(), most.toSeconds()));
      }
      fetch(first, file.root(), Math.max(1, file.sizeBytes()));
    }
    if (blobs.folder(root).isEmpty()) {
      throw new PeerMisbehaviourException(
          BlobProtocol.ID + ": files of the folder " + root + " are not as its manifest says");
    }
    return manifest;
  }

  /// One blob on its way here.
  private final class Fetch {
    private final Hash root;
    private final long bytesMax;
    private final Deque<BlobSource> sources = new ArrayDeque<>();
    private final List<PeerId> dropped = new ArrayList<>();
    private boolean lookedUp;
    private int received;
    private @Nullable RuntimeException last;

    Fetch(Hash root, long bytesMax, BlobSource first) {
      this.root = root;
      this.bytesMax = bytesMax;
      sources.add(first);
    }

    void run() {
      int fruitless = 0;
      while (true) {
        Optional<BlobSource> source = source();
        if (source.isEmpty()) {
          throw last == null
              ? new BlobNotHereException(false, "nobody hands out the blob " + root)
              : last;
        }
        int before = received;
        try {
          from(source.get());
          return;
        } catch (PeerMisbehaviourException e) {
          last = e;
          drop(source.get());
          blames.blame(source.get().peer(), String.valueOf(e.getMessage()));
        } catch (BlobNotHereException e) {
          last = e;
          drop(source.get());
        } catch (Libp2pException e) {
          if (Thread.currentThread().isInterrupted()) {
            throw e;
          }
          last = e;
          fruitless = received > before ? 0 : fruitless + 1;
          LOG.debug("the blob {} broke off after {} chunks: {}", root, received, e.getMessage());
          if (fruitless >= FRUITLESS_MAX) {
            drop(source.get());
            fruitless = 0;
          } else {
            pause(fruitless);
          }
        }
      }
    }

    private Optional<BlobSource> source() {
      if (sources.isEmpty() && !lookedUp) {
        lookedUp = true;
        for (PeerId peer : providers.apply(root)) {
          if (!dropped.contains(peer)) {
            sources.add(BlobSource.open(peer));
          }
        }
      }
      return Optional.ofNullable(sources.peek());
    }

    private void drop(BlobSource source) {
      sources.remove(source);
      dropped.add(source.peer());
    }

    private void from(BlobSource source) {
      try (BlobSession session = open(source)) {
        BlobSession.Description description = session.describe(root, bytesMax);
        try (IncomingBlob incoming =
            blobs.receive(root, description.sizeBytes(), description.leaves())) {
          received = incoming.count();
          if (received > 0) {
            LOG.info("the blob {} goes on with chunk {} of {}", root, received, incoming.chunks());
          }
          Chunks chunks = new Chunks(incoming);
          List<Thread> more = new ArrayList<>();
          int streams = Math.min(STREAMS_MAX, (incoming.chunks() - received) / (2 * BATCH) + 1);
          for (int i = 1; i < streams; i++) {
            more.add(
                Thread.ofVirtual()
                    .name("blob")
                    .start(() -> {
                      try (BlobSession another = open(source)) {
                        take(another, chunks);
                      } catch (RuntimeException e) {
                        chunks.failed(e);
                      }
                    }));
          }
          try {
            take(session, chunks);
          } catch (RuntimeException e) {
            chunks.failed(e);
          }
          join(more);
          received = incoming.count();
          chunks.rethrow();
          incoming.keep();
        }
      }
    }

    private BlobSession open(BlobSource source) {
      PeerStream stream = streams.open(source.peer(), BlobProtocol.ID);
      stream.io().timeout(ANSWER_MAX);
      return new BlobSession(stream, source);
    }

    private void take(BlobSession session, Chunks chunks) {
      for (Optional<Range> range = chunks.claim(); range.isPresent(); range = chunks.claim()) {
        session.chunks(
            root,
            range.get().first(),
            range.get().count(),
            (index, bytes) -> {
              try {
                chunks.incoming.write(index, bytes);
              } catch (BlobRefusedException e) {
                throw new PeerMisbehaviourException(BlobProtocol.ID + ": " + e.getMessage(), e);
              }
              bytesReceived.add(bytes.length);
            });
      }
    }
  }

  private record Range(int first, int count) {}

  /// Hands ranges of missing chunks to the streams of one fetch, each once.
  private static final class Chunks {
    private final IncomingBlob incoming;
    private int next;
    private @Nullable RuntimeException failure;

    Chunks(IncomingBlob incoming) {
      this.incoming = incoming;
    }

    synchronized Optional<Range> claim() {
      int first = failure == null ? incoming.nextMissing(next) : -1;
      if (first < 0) {
        return Optional.empty();
      }
      int count = 1;
      while (count < BATCH && incoming.nextMissing(first + count) == first + count) {
        count++;
      }
      next = first + count;
      return Optional.of(new Range(first, count));
    }

    /// The worst failure counts: a lie above a broken stream.
    synchronized void failed(RuntimeException e) {
      boolean worse = failure == null || e instanceof PeerMisbehaviourException;
      if (worse) {
        failure = e;
      }
    }

    synchronized void rethrow() {
      RuntimeException e = failure;
      if (e != null) {
        throw e;
      }
    }
  }

  private static void join(List<Thread> threads) {
    for (Thread thread : threads) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        // Their streams end by their own timeouts, and what they write is checked.
        return;
      }
    }
  }

  private static void pause(int fruitless) {
    try {
      Thread.sleep(PAUSE.multipliedBy(1L << Math.min(fruitless, 4)));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Libp2pException("interrupted while a blob was fetched", e);
    }
  }
}

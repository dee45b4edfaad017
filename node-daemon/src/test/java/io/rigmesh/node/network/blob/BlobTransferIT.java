package io.rigmesh.node.network.blob;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.node.blob.FileBlobs;
import io.rigmesh.node.config.BlobsConfig;
import io.rigmesh.node.network.Blames;
import io.rigmesh.node.network.Peers;
import io.rigmesh.protocol.BlobRoot;
import io.rigmesh.protocol.FolderManifest;
import io.rigmesh.protocol.Hash;
import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Blobs between hosts over real sockets.
class BlobTransferIT {
  private static final long MANY = 1L << 30;
  private static final int MIB = 1 << 20;

  @TempDir Path folder;
  private final List<Host> hosts = new ArrayList<>();
  private Host asker;
  private FileBlobs here;
  private Blames blames;

  @BeforeEach
  void start() {
    asker = host();
    here = FileBlobs.open(folder.resolve("here"), new BlobsConfig(MANY, 0));
    blames = new Blames((peer, reason) -> asker.disconnect(peer, reason));
  }

  @AfterEach
  void stop() {
    hosts.forEach(Host::close);
  }

  private Host host() {
    Host host = Peers.start();
    hosts.add(host);
    return host;
  }

  /// A host that hands its blobs to everyone.
  private Host server(FileBlobs blobs, long bytesPerSecondMax) throws Exception {
    Host host = host();
    new BlobServer(blobs, (_, _, _, _) -> true, bytesPerSecondMax).serveOn(host);
    Peers.connect(asker, host);
    return host;
  }

  private FileBlobs store(String name) {
    return FileBlobs.open(folder.resolve(name), new BlobsConfig(MANY, 0));
  }

  private BlobFetcher fetcher(PeerId... others) {
    return new BlobFetcher(Peers.streams(asker), here, blames, _ -> List.of(others));
  }

  private static byte[] random(int bytes) {
    byte[] random = new byte[bytes];
    new Random(bytes).nextBytes(random);
    return random;
  }

  private static Hash put(FileBlobs blobs, byte[] bytes) {
    return blobs.put(new ByteArrayInputStream(bytes), Optional.empty(), MANY);
  }

  @Test
  void blobsOfAwkwardSizesArriveAsTheyWere() throws Exception {
    FileBlobs there = store("there");
    Host server = server(there, 0);
    BlobFetcher fetcher = fetcher();
    for (int size : new int[] {0, 1, MIB - 1, MIB, MIB + 1, 9 * MIB + 5, 40 * MIB}) {
      byte[] bytes = random(size);
      Hash root = put(there, bytes);
      fetcher.fetch(BlobSource.open(server.id()), root, MANY);
      assertThat(here.open(root).readAllBytes()).as("%d bytes", size).isEqualTo(bytes);
    }
  }

  @Test
  void folderArrivesWithAllItsFiles() throws Exception {
    FileBlobs there = store("there");
    Host server = server(there, 0);
    Path model = Files.createDirectories(folder.resolve("model/sub"));
    Files.write(model.resolve("a"), random(3 * MIB));
    Files.write(model.resolve("b"), random(17));
    FolderManifest manifest = there.importFolder(folder.resolve("model"));
    fetcher().folder(BlobSource.open(server.id()), manifest.root());
    assertThat(here.folder(manifest.root())).contains(manifest);
  }

  @Test
  void transferWhoseConnectionIsKilledGoesOnWhereItWas() throws Exception {
    FileBlobs there = store("there");
    Host server = server(there, 8L * MIB);
    byte[] bytes = random(24 * MIB);
    Hash root = put(there, bytes);
    BlobFetcher fetcher = fetcher();
    CompletableFuture<Void> fetch =
        CompletableFuture.runAsync(
            () -> fetcher.fetch(BlobSource.open(server.id()), root, MANY),
            task -> Thread.ofVirtual().start(task));
    Peers.await("some of it has come", () -> fetcher.bytesReceived() >= 6L * MIB);
    asker.connections(server.id()).forEach(connection -> connection.close("cut by the test"));
    fetch.get(120, TimeUnit.SECONDS);
    assertThat(here.open(root).readAllBytes()).isEqualTo(bytes);
    // What was there is not fetched again.
    assertThat(fetcher.bytesReceived()).isEqualTo(bytes.length);
    assertThat(blames.total()).isZero();
  }

  @Test
  void transferThatEndedWithItsProcessGoesOnInTheNext() throws Exception {
    FileBlobs there = store("there");
    Host server = server(there, 0);
    byte[] bytes = random(6 * MIB);
    Hash root = put(there, bytes);
    // As a process leaves it that was killed: two chunks on disk, one of them broken.
    try (var begun = here.receive(root, bytes.length, there.leaves(root))) {
      begun.write(1, there.chunk(root, 1));
      begun.write(3, there.chunk(root, 3));
    }
    Path partial = only(folder.resolve("here/incoming"));
    try (var file = Files.newByteChannel(partial, java.nio.file.StandardOpenOption.WRITE)) {
      file.position(3L * MIB + 17).write(java.nio.ByteBuffer.wrap(new byte[] {1, 2, 3}));
    }
    here = FileBlobs.open(folder.resolve("here"), new BlobsConfig(MANY, 0));
    BlobFetcher fetcher = fetcher();
    fetcher.fetch(BlobSource.open(server.id()), root, MANY);
    assertThat(here.open(root).readAllBytes()).isEqualTo(bytes);
    assertThat(fetcher.bytesReceived()).isEqualTo(5L * MIB);
    assertThat(folder.resolve("here/incoming")).isEmptyDirectory();
  }

  @Test
  void tamperedChunkIsRefusedItsPeerBlamedAndTheBlobFetchedElsewhere() throws Exception {
    FileBlobs lying = store("lying");
    FileBlobs honest = store("honest");
    byte[] bytes = random(5 * MIB);
    Hash root = put(lying, bytes);
    put(honest, bytes);
    alter(folder.resolve("lying"), root, 3L * MIB + 9);
    Host liar = server(lying, 0);
    assertThatThrownBy(() -> fetcher().fetch(BlobSource.open(liar.id()), root, MANY))
        .isInstanceOf(PeerMisbehaviourException.class)
        .hasMessageContaining("chunk 3");
    assertThat(here.has(root)).isFalse();
    assertThat(blames.of(liar.id()).orElseThrow().last()).contains("another hash");
    Peers.await("the liar is let go", () -> asker.connections(liar.id()).isEmpty());

    Host friend = server(honest, 0);
    Peers.connect(asker, liar);
    fetcher(liar.id(), friend.id()).fetch(BlobSource.open(liar.id()), root, MANY);
    assertThat(here.open(root).readAllBytes()).isEqualTo(bytes);
    assertThat(blames.of(liar.id()).orElseThrow().count()).isEqualTo(2);
    assertThat(blames.of(friend.id())).isEmpty();
  }

  @Test
  void blobThatIsNotForThePeerIsNotHandedOutAndSaysNoMoreThanOneThatIsNotThere() throws Exception {
    FileBlobs there = store("there");
    Hash secret = put(there, random(100));
    Hash absent = BlobRoot.of(random(200));
    Host server = host();
    new BlobServer(there, (_, _, _, _) -> false, 0).serveOn(server);
    Peers.connect(asker, server);
    List<String> words = new ArrayList<>();
    for (Hash root : List.of(secret, absent)) {
      assertThatThrownBy(() -> fetcher().fetch(BlobSource.open(server.id()), root, MANY))
          .isInstanceOf(BlobNotHereException.class)
          .satisfies(e -> words.add(e.getMessage().replace(root.toString(), "")));
    }
    assertThat(words.getFirst()).isEqualTo(words.getLast());
  }

  @Test
  void blobLargerThanAllowedIsRefusedBeforeAnyOfItComes() throws Exception {
    FileBlobs there = store("there");
    Host server = server(there, 0);
    Hash root = put(there, random(3 * MIB));
    BlobFetcher fetcher = fetcher();
    assertThatThrownBy(() -> fetcher.fetch(BlobSource.open(server.id()), root, 2L * MIB))
        .isInstanceOf(BlobNotHereException.class)
        .hasMessageContaining("at most");
    assertThat(fetcher.bytesReceived()).isZero();
  }

  @Test
  void sameBlobAskedForManyTimesAtOnceIsFetchedOnce() throws Exception {
    FileBlobs there = store("there");
    Host server = server(there, 0);
    Hash root = put(there, random(4 * MIB));
    BlobFetcher fetcher = fetcher();
    List<CompletableFuture<Void>> fetches = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      fetches.add(
          CompletableFuture.runAsync(
              () -> fetcher.fetch(BlobSource.open(server.id()), root, MANY),
              task -> Thread.ofVirtual().start(task)));
    }
    for (CompletableFuture<Void> fetch : fetches) {
      try {
        fetch.get(120, TimeUnit.SECONDS);
      } catch (ExecutionException e) {
        throw new AssertionError(e.getCause());
      }
    }
    assertThat(fetcher.bytesReceived()).isEqualTo(4L * MIB);
  }

  private static Path only(Path directory) throws Exception {
    try (var files = Files.list(directory)) {
      return files.findFirst().orElseThrow();
    }
  }

  private static void alter(Path store, Hash root, long at) throws Exception {
    String hex = root.hex().substring(2);
    Path file = store.resolve(hex.substring(0, 2)).resolve(hex.substring(2));
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    try (var channel = Files.newByteChannel(file, java.nio.file.StandardOpenOption.WRITE)) {
      channel.position(at).write(java.nio.ByteBuffer.wrap(new byte[] {0x55, 0x66}));
    }
  }
}

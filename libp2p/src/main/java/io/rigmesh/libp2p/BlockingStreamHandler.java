package io.rigmesh.libp2p;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Serves each stream on a virtual thread of its own.
final class BlockingStreamHandler implements StreamHandler {
  private static final Logger LOG = LoggerFactory.getLogger(BlockingStreamHandler.class);

  private final Blocking handler;

  BlockingStreamHandler(Blocking handler) {
    this.handler = handler;
  }

  @Override
  public void accept(Stream stream) {
    BlockingStream io = stream.blocking();
    Thread.ofVirtual()
        .name(stream.protocol().name())
        .start(() -> {
          try {
            handler.serve(stream, io);
            stream.close();
          } catch (Libp2pException e) {
            LOG.debug("{} ended: {}", stream, e.getMessage());
            stream.reset();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            stream.reset();
          } catch (Exception e) {
            LOG.warn("{} failed", stream, e);
            stream.reset();
          }
        });
  }
}

package io.rigmesh.node.requester;

import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.node.blob.BlobRefusedException;
import io.rigmesh.node.blob.Blobs;
import io.rigmesh.node.blob.OutputFolders;
import io.rigmesh.node.config.NodeConfig;
import io.rigmesh.node.jobs.Step;
import io.rigmesh.node.network.blob.BlobFetcher;
import io.rigmesh.node.network.blob.BlobNotHereException;
import io.rigmesh.node.network.blob.BlobSource;
import io.rigmesh.node.network.job.JobClient;
import io.rigmesh.node.pay.Tariff;
import io.rigmesh.node.store.JobRow;
import io.rigmesh.node.store.Transition;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.FolderManifest;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.JobState;
import io.rigmesh.protocol.MalformedException;
import io.rigmesh.protocol.ReceiptFile;
import java.util.Optional;

/// Takes in what a provider made: checks all of its receipt that needs no recomputation, and
/// fetches the output.
final class Delivery {
  private final NodeConfig config;
  private final Blobs blobs;
  private final BlobFetcher fetcher;
  private final JobClient client;
  private final Domain domain;
  private final Moves moves;

  Delivery(
      NodeConfig config,
      Blobs blobs,
      BlobFetcher fetcher,
      JobClient client,
      Domain domain,
      Moves moves) {
    this.config = config;
    this.blobs = blobs;
    this.fetcher = fetcher;
    this.client = client;
    this.domain = domain;
    this.moves = moves;
  }

  /// Takes a receipt in, and what it names.
  ///
  /// @param tariff what was agreed, where a channel pays
  Step receive(JobRow row, byte[] receiptJson, Optional<Tariff> tariff) {
    try {
      ReceiptFile file = ReceiptCheck.read(receiptJson, row, domain, tariff);
      Optional<Hash> model = fetch(row, file.receipt().receipt().output());
      return moves.move(row, Transition.to(new JobState.Completed()).with(file, model));
    } catch (ProviderFaultException
        | PeerMisbehaviourException
        | BlobRefusedException
        | MalformedException e) {
      return moves.fail(row, String.valueOf(e.getMessage()));
    } catch (BlobNotHereException e) {
      return e.isPassing()
          ? new Step.Retry(String.valueOf(e.getMessage()))
          : moves.fail(
              row,
              "the provider does not have the output that its receipt names: " + e.getMessage());
    } catch (Libp2pException e) {
      throw new ProviderUnreachableException(
          "the output of job " + row.id() + " cannot be fetched: " + e.getMessage(), e);
    }
  }

  /// Fetches a job's output, and its model where an audit would lack it.
  ///
  /// @return the root of the trained model's folder, if the output has one
  Optional<Hash> fetch(JobRow row, Hash output) {
    BlobSource source =
        new BlobSource(
            JobWatch.peer(row), Optional.of(row.id()), Optional.of(client.pass(row.id())));
    FolderManifest manifest = fetcher.folder(source, output);
    Hash model = row.job().model();
    boolean audited = config.audit().samples() > 0;
    if (audited && !model.isZero() && blobs.folder(model).isEmpty()) {
      fetcher.folder(source, model);
    }
    return OutputFolders.keepModel(manifest, blobs);
  }
}

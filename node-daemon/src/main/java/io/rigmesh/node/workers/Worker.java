package io.rigmesh.node.workers;

import io.rigmesh.worker.process.WorkerClient;
import io.rigmesh.worker.process.WorkerDescription;
import java.util.concurrent.CompletableFuture;

/// A worker process that serves. Once it is lost, [#gone] completes after everybody was told.
///
/// @param device the device's id
/// @param description what it says of its device
/// @param client what talks to it
/// @param kill ends the process by force
/// @param gone completes once the process has ended and the device counts as not serving
public record Worker(
    String device,
    WorkerDescription description,
    WorkerClient client,
    Runnable kill,
    CompletableFuture<Void> gone) {}

package io.rigmesh.worker.verify;

import java.nio.file.Path;
import java.util.Optional;

/// What a verification reads besides the receipt file.
///
/// @param modelFolder the folder of the job's model; empty where the job trains a new one
/// @param inputFile the job's input
/// @param outputFolder what the provider delivered
public record Materials(Optional<Path> modelFolder, Path inputFile, Path outputFolder) {}

package io.rigmesh.node.config;

/// Bounds on files.
///
/// @param bytesMax the largest blob
/// @param freeBytesMin how much of the disk stays free
public record BlobsConfig(
    @Setting(value = "68719476736", help = "Largest blob.") long bytesMax,
    @Setting(value = "268435456", help = "How much of the disk stays free.") long freeBytesMin) {}

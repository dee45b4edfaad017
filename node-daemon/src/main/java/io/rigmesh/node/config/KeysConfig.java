package io.rigmesh.node.config;

import java.nio.file.Path;
import java.util.Optional;

/// The account's key.
///
/// @param accountFile the encrypted keystore
/// @param passwordFile the file of its password
/// @param password the password itself, in place of the file
public record KeysConfig(
    @Setting(
            value = "keys/account.json",
            help = "Encrypted keystore (version 3); written on the first start.")
        Path accountFile,
    @Setting(
            value = "keys/password",
            help = "File of the keystore's password; generated with mode 0600 on the first start.")
        Path passwordFile,
    @Setting(
            value = "",
            help = "The keystore's password, in place of the file; best given by the environment.",
            secret = true)
        Optional<String> password) {}

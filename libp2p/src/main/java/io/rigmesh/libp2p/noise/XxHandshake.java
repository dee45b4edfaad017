package io.rigmesh.libp2p.noise;

import io.rigmesh.libp2p.PeerMisbehaviourException;
import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import javax.crypto.AEADBadTagException;

/// The XX pattern (Noise specification, section 7.5): `e`, then `e, ee, s, es`, then `s, se`. Pure:
/// messages are taken and given, in turn, without their length prefix.
final class XxHandshake {
  private static final int ENCRYPTED_KEY_BYTES = KeyPair25519.BYTES + CipherState.TAG_BYTES;

  private final boolean initiator;
  private final KeyPair25519 own;
  private final KeyPair25519 ephemeral;
  private final SymmetricState state;
  private byte[] remoteEphemeral = new byte[0];
  private byte[] remoteStatic = new byte[0];
  private int messages;

  XxHandshake(boolean initiator, KeyPair25519 own, KeyPair25519 ephemeral, byte[] prologue) {
    this.initiator = initiator;
    this.own = own;
    this.ephemeral = ephemeral;
    this.state = new SymmetricState(prologue);
  }

  /// Whether the next message is ours.
  boolean writesNext() {
    return !finished() && (messages % 2 == 0) == initiator;
  }

  boolean finished() {
    return messages == 3;
  }

  byte[] write(byte[] payload) {
    if (!writesNext()) {
      throw new IllegalStateException("Message " + (messages + 1) + " is the remote's");
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    switch (messages) {
      case 0 -> {
        out.writeBytes(ephemeral.open());
        state.mixHash(ephemeral.open());
      }
      case 1 -> {
        out.writeBytes(ephemeral.open());
        state.mixHash(ephemeral.open());
        state.mixKey(ephemeral.agree(remoteEphemeral));
        out.writeBytes(state.encryptAndHash(own.open()));
        state.mixKey(own.agree(remoteEphemeral));
      }
      default -> {
        out.writeBytes(state.encryptAndHash(own.open()));
        state.mixKey(own.agree(remoteEphemeral));
      }
    }
    out.writeBytes(state.encryptAndHash(payload));
    messages++;
    return out.toByteArray();
  }

  /// Reads the remote's message and returns its payload.
  ///
  /// @throws PeerMisbehaviourException when it is cut short or not encrypted with the agreed key
  byte[] read(byte[] message) {
    if (finished() || writesNext()) {
      throw new IllegalStateException("Message " + (messages + 1) + " is not the remote's");
    }
    int number = messages + 1;
    try {
      int at = 0;
      if (messages < 2) {
        remoteEphemeral = part(message, at, KeyPair25519.BYTES);
        at += KeyPair25519.BYTES;
        state.mixHash(remoteEphemeral);
      }
      if (messages == 1) {
        state.mixKey(ephemeral.agree(remoteEphemeral));
      }
      if (messages > 0) {
        remoteStatic = state.decryptAndHash(part(message, at, ENCRYPTED_KEY_BYTES));
        at += ENCRYPTED_KEY_BYTES;
        state.mixKey(ephemeral.agree(remoteStatic));
        if (message.length - at < CipherState.TAG_BYTES) {
          throw cut(message.length);
        }
      }
      byte[] payload = state.decryptAndHash(part(message, at, message.length - at));
      messages++;
      return payload;
    } catch (AEADBadTagException e) {
      throw new PeerMisbehaviourException(
          "noise: handshake message " + number + " is not encrypted with the agreed key", e);
    }
  }

  /// The remote's static key, once its message with it is read.
  byte[] remoteStatic() {
    return remoteStatic.clone();
  }

  /// What encrypts this side's messages, then what decrypts the remote's.
  CipherState[] split() {
    if (!finished()) {
      throw new IllegalStateException("The handshake has " + messages + " of 3 messages");
    }
    CipherState[] both = state.split();
    return initiator ? both : new CipherState[] {both[1], both[0]};
  }

  private byte[] part(byte[] message, int at, int bytes) {
    if (message.length - at < bytes) {
      throw cut(message.length);
    }
    return Arrays.copyOfRange(message, at, at + bytes);
  }

  private PeerMisbehaviourException cut(int bytes) {
    return new PeerMisbehaviourException(
        "noise: handshake message " + (messages + 1) + " of " + bytes + " bytes is cut short");
  }
}

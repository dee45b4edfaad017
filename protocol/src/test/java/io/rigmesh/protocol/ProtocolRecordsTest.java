package io.rigmesh.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class ProtocolRecordsTest {
  @Test
  void receiptsVouchersAndOffersReadBackFromTheirBytes() {
    assertThat(Receipt.fromCanonicalBytes(Samples.receipt().canonicalBytes()))
        .isEqualTo(Samples.receipt());
    assertThat(Voucher.fromCanonicalBytes(Samples.voucher().canonicalBytes()))
        .isEqualTo(Samples.voucher());
    assertThat(Offer.fromCanonicalBytes(Samples.offer().canonicalBytes()))
        .isEqualTo(Samples.offer());
  }

  @Test
  void everyKindOfEvidenceReadsBackFromAReceiptFile() {
    List<Hash> links = List.of(Samples.hash("1"), Samples.hash("2"));
    for (Evidence evidence :
        List.of(
            new Evidence.Generation(List.of(1, 2), List.of(3, 4), links),
            new Evidence.Embedding(links),
            new Evidence.Training(
                List.of(2.5f, Float.MIN_VALUE),
                List.of(new Evidence.Checkpoint(0, links.getFirst())),
                links))) {
      ReceiptFile file =
          new ReceiptFile(
              Samples.DOMAIN,
              Samples.generate().sign(Samples.REQUESTER, Samples.DOMAIN),
              Samples.receipt().sign(Samples.PROVIDER, Samples.DOMAIN),
              evidence);
      assertThat(ProtocolJson.readReceiptFile(ProtocolJson.write(file))).isEqualTo(file);
    }
  }

  @Test
  void aMistypedAddressIsCaughtByItsChecksum() {
    String right = Samples.PROVIDER.address().hex();
    assertThat(Address.fromHex(right)).isEqualTo(Samples.PROVIDER.address());
    String wrong = right.replace("C5", "c5");
    assertThat(wrong).isNotEqualTo(right);
    assertThatThrownBy(() -> Address.fromHex(wrong)).hasMessageContaining("checksum");
  }

  @Test
  void aSignatureWithAHighSIsRefused() {
    byte[] high = Samples.REQUESTER.sign(Samples.hash("x")).bytes();
    java.util.Arrays.fill(high, 32, 36, (byte) 0xff);
    assertThatThrownBy(() -> Signature.of(high)).hasMessageContaining("lower half");
  }

  @Test
  void aFolderNeverNamesAFileOutsideItself() {
    for (String path : List.of("../x", "/x", "a/../x", "a//b", "", ".", "a\\b", "a\0b")) {
      assertThatThrownBy(() -> new FolderManifest.File(path, 1, Hash.ZERO))
          .isInstanceOf(MalformedException.class);
    }
  }

  @Test
  void noFileOfAFolderIsTheFolderOfAnother() {
    FolderManifest.File file = new FolderManifest.File("a/b", 1, Hash.ZERO);
    for (String below : List.of("a/b/c", "a/b/c/d", "a")) {
      FolderManifest.File other = new FolderManifest.File(below, 1, Hash.ZERO);
      assertThatThrownBy(() -> new FolderManifest(List.of(file, other)))
          .isInstanceOf(MalformedException.class)
          .hasMessageContaining("is a file and the folder of");
    }
    // A name that only begins alike stands between them in the order, and is none of them.
    FolderManifest.File alike = new FolderManifest.File("a/b.c", 1, Hash.ZERO);
    assertThat(new FolderManifest(List.of(file, alike)).files()).containsExactly(file, alike);
  }

  @Test
  void aSecretKeyNeverPrintsItself() {
    assertThat(Samples.REQUESTER.toString()).doesNotContain("ac0974").contains("0xf39F");
  }

  @Test
  void aNewModelNeedsAZeroModelRootAndAnyOtherJobARealOne() {
    Task train = Samples.train().task();
    assertThatThrownBy(() -> Samples.job(train, Samples.hash("m"), 1))
        .hasMessageContaining("names no model");
    assertThatThrownBy(() -> Samples.job(new Task.Embed(), Hash.ZERO, 1))
        .hasMessageContaining("root of a model folder");
  }
}

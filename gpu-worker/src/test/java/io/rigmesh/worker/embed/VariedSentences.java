package io.rigmesh.worker.embed;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/// Sentences of many kinds: empty and blank ones, one word, questions, code, numbers, emoji, many
/// scripts, broken text, and ones far longer than the model takes.
public final class VariedSentences {

  private static final List<String> WRITTEN =
      List.of(
          "",
          " ",
          "\n\t",
          ".",
          "a",
          "cat",
          "feline",
          "GPU",
          "A cat sits on the mat.",
          "The feline rested on the rug.",
          "Graphics processors multiply matrices quickly.",
          "How do I verify a result that a stranger's machine has computed?",
          "How do I verify a result that a stranger's machine has computed",
          "HOW DO I VERIFY A RESULT THAT A STRANGER'S MACHINE HAS COMPUTED?!",
          "It wasn't me, I'd swear; they've all gone, haven't they?",
          "Zürich, naïve café, coöperate, Ångström, Señor Núñez",
          "for (int i = 0; i < n; i++) { sum += a[i] * b[i]; }",
          "SELECT name, COUNT(*) FROM jobs WHERE state = 'PAID' GROUP BY name;",
          "https://example.org/a/b?c=d&e=%20f#g",
          "someone@example.org",
          "3.14159265358979323846264338327950288419716939937510",
          "0x52908400098527886E0F7030069857D2E4169EE7",
          "1,234,567.89 USD on 2026-11-22 at 05:43 UTC",
          "E = mc², ∑ᵢ xᵢ² ≤ ∞, ∀x∃y: x≠y",
          "😀",
          "😀😃😄😁😆",
          "I love this 😍🔥, see you soon 👋🏽!",
          "👩‍👩‍👧‍👦 🏳️‍🌈 🇨🇭 ✈️ ☕",
          "東京は日本の首都です。",
          "我喜欢在早上喝一杯热咖啡。",
          "안녕하세요, 만나서 반갑습니다.",
          "Привет, как дела? Сегодня хорошая погода.",
          "Γειά σου Κόσμε, τι κάνεις;",
          "مرحبا بالعالم، كيف حالك اليوم؟",
          "שלום עולם, מה שלומך היום?",
          "नमस्ते दुनिया, आप कैसे हैं?",
          "สวัสดีชาวโลก วันนี้อากาศดี",
          "გამარჯობა მსოფლიო",
          "Xin chào thế giới, hôm nay trời đẹp quá.",
          "Merhaba dünya, İstanbul'da ışık güzel.",
          "ᚠᛇᚻ᛫ᛒᛦᚦ᛫ᚠᚱᚩᚠᚢᚱ",
          "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𝕞𝕒𝕥𝕙 𝒍𝒆𝒕𝒕𝒆𝒓𝒔",
          "mixed 漢字 and кириллица and ελληνικά in one",
          "\u0000\u0001\u0002 control characters \u007f",
          "zero\u200bwidth\u200dand\ufeffmarks",
          "unpaired \uD83D surrogate",
          "\uFFFD\uFFFD replacement",
          "e\u0301 combining a\u0308\u0323\u0327 marks Z\u0351\u036B\u0343\u036A",
          "[CLS] [SEP] [MASK] [PAD] [UNK]",
          "##ing ##ed subword",
          "Donaudampfschifffahrtsgesellschaftskapitän",
          "pneumonoultramicroscopicsilicovolcanoconiosis",
          "x".repeat(99),
          "x".repeat(101),
          "word ".repeat(60),
          "😀".repeat(300),
          "漢".repeat(300),
          "many words ".repeat(400),
          "a b c d e f g h i j k l m n o p q r s t u v w x y z ".repeat(20));

  private static final String[] SUBJECTS = {
    "The old engineer",
    "My neighbour's daughter",
    "A provider in Iceland",
    "Nobody",
    "The court",
    "Every second customer",
    "Our youngest colleague",
    "The river"
  };
  private static final String[] VERBS = {
    "repaired", "quietly refused", "measured", "has never seen", "sold", "compared", "forgot"
  };
  private static final String[] OBJECTS = {
    "the broken lighthouse",
    "twelve loaves of bread",
    "a contract about storage",
    "the moon",
    "three graphics cards",
    "its own reflection",
    "the last train to Basel"
  };
  private static final String[] ENDS = {
    ".",
    " before breakfast.",
    ", although it was raining.",
    " and told no one about it for years.",
    "?",
    " because the price had fallen again, which surprised even those who had predicted it."
  };

  private VariedSentences() {}

  /// A hundred sentences: all of the written ones, then prose.
  public static List<String> hundred() {
    List<String> sentences = new ArrayList<>(WRITTEN);
    sentences.addAll(prose(100 - WRITTEN.size()));
    return sentences;
  }

  /// So many texts of one to four English sentences, always the same ones.
  public static List<String> prose(int count) {
    List<String> texts = new ArrayList<>();
    Random random = new Random(2026);
    while (texts.size() < count) {
      StringBuilder text = new StringBuilder();
      for (int sentences = random.nextInt(4); sentences >= 0; sentences--) {
        text.append(SUBJECTS[random.nextInt(SUBJECTS.length)]).append(' ');
        text.append(VERBS[random.nextInt(VERBS.length)]).append(' ');
        text.append(OBJECTS[random.nextInt(OBJECTS.length)]);
        text.append(ENDS[random.nextInt(ENDS.length)]).append(' ');
      }
      texts.add(text.toString().strip());
    }
    return texts;
  }
}

package io.rigmesh.node.quickstart;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.rigmesh.protocol.TokenAmount;
import java.io.PrintStream;
import java.math.BigDecimal;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/// What the quickstart shows at its end, and writes as JSON: the components are the document's
/// fields.
@JsonInclude(JsonInclude.Include.NON_NULL)
record Summary(
    Train train,
    Generate generate,
    Embed embed,
    Verify verify,
    Market market,
    Settlement settlement,
    List<Paid> payments,
    Milestones milestones,
    Map<String, String> urls) {

  /// The training.
  ///
  /// @param lossFirst the loss of the first step, in nats per token
  /// @param lossLast the loss of the last step
  /// @param receipt where its receipt lies
  record Train(
      long steps, float lossFirst, float lossLast, double tokensPerSecond, String receipt) {}

  /// The generation.
  record Generate(String text, int tokens, double tokensPerSecond, String receipt) {}

  /// The embedding.
  ///
  /// @param cosineSimilar the cosine between two sentences of like meaning
  /// @param cosineDifferent the cosine between two of unlike meaning
  record Embed(
      int sentences,
      double sentencesPerSecond,
      double cosineSimilar,
      double cosineDifferent,
      String receipt) {}

  /// The recomputation of the receipts.
  ///
  /// @param samples steps that were recomputed
  /// @param exact true if all had the receipts' bits
  record Verify(long samples, boolean exact) {}

  /// The choice among offers.
  ///
  /// @param peers how many peers the requester is connected to
  /// @param chosen the peer id of the provider that trained
  /// @param why the requester's own words
  /// @param offers what each provider asks for training
  record Market(int peers, String chosen, String why, List<Quote> offers) {}

  /// What a provider asks.
  ///
  /// @param peer its peer id
  /// @param trainPerMillionTokens in smallest units
  record Quote(String peer, long trainPerMillionTokens) {}

  /// The parts in which the training was proven and paid.
  ///
  /// @param job the training's id
  /// @param told what was said of them while it went on
  /// @param parts each of them at the end
  record Milestones(String job, List<String> told, List<Milestone> parts) {}

  /// One part.
  ///
  /// @param steps the step that it ends with
  /// @param amountDue what it cost, in smallest units
  record Milestone(int number, long steps, long amountDue, String state) {}

  /// What one job cost its requester.
  ///
  /// @param kind what was done
  /// @param job the job's id
  /// @param paid in smallest units
  /// @param by what paid it: `escrow` or `channel`
  /// @param from the address of JobEscrow, or the channel's id
  record Paid(String kind, String job, long paid, String by, String from) {}

  /// The money.
  ///
  /// @param transactions hashes of both sides' transactions
  /// @param gasUsed what they used together
  /// @param gasPerJob the same per job
  /// @param redemptionGas what of it redeemed vouchers
  /// @param escrowEarned what the provider's account holds of the token: the training, paid by the
  ///   escrow, in smallest units
  /// @param channelEarned what its vouchers brought, a balance in PaymentChannels: the generation
  ///   and the embedding, in smallest units
  /// @param channel the channel's id
  /// @param channels the address of PaymentChannels
  /// @param escrow the address of JobEscrow
  /// @param requester the requester's account
  /// @param token the payment token's address
  /// @param provider the provider's account
  record Settlement(
      String rpcUrl,
      List<String> transactions,
      long gasUsed,
      long gasPerJob,
      long redemptionGas,
      long escrowEarned,
      long channelEarned,
      String channel,
      String channels,
      String escrow,
      String requester,
      String token,
      String provider) {}

  /// Prints it for people.
  void print(PrintStream out) {
    out.printf(
        Locale.ROOT,
        """

        chosen     %s
                   %s
        trained    %d steps, loss %.3f -> %.3f, %,.0f tokens/s
                   %s
        generated  %d tokens, %,.0f tokens/s:
        %s
        embedded   %d sentences, %,.1f sentences/s; cosine of "a cat"/"a feline" %.3f, of "a cat"/"a GPU" %.3f
        proven     %d steps of 3 receipts recomputed: %s
        paid       %s
        earned     %s rUSD by %s:
                   %s from the escrow in %d milestones, %s by vouchers
        gas        %,d in %d transactions, %,d per job; %,d of it to redeem the vouchers
        """,
        market.why,
        asked(),
        train.steps,
        train.lossFirst,
        train.lossLast,
        train.tokensPerSecond,
        String.join("\n           ", milestones.told),
        generate.tokens,
        generate.tokensPerSecond,
        generate.text.strip().indent(11).stripTrailing(),
        embed.sentences,
        embed.sentencesPerSecond,
        embed.cosineSimilar,
        embed.cosineDifferent,
        verify.samples,
        verify.exact ? "exact, bit for bit" : "NOT EXACT",
        paid(),
        dollars(TokenAmount.of(settlement.escrowEarned + settlement.channelEarned)),
        settlement.provider,
        dollars(TokenAmount.of(settlement.escrowEarned)),
        milestones.parts.size(),
        dollars(TokenAmount.of(settlement.channelEarned)),
        settlement.gasUsed,
        settlement.transactions.size(),
        settlement.gasPerJob,
        settlement.redemptionGas);
    urls.forEach((name, url) -> out.printf("%-10s %s%n", name, url));
    out.printf("%-10s %s%n", "receipts", train.receipt);
  }

  private String paid() {
    return payments.stream()
        .map(p ->
            String.format(
                Locale.ROOT,
                "%s rUSD for the job %s (%s) from the %s %s",
                dollars(TokenAmount.of(p.paid)),
                p.job,
                p.kind,
                p.by,
                p.from))
        .collect(Collectors.joining("\n           "));
  }

  private String asked() {
    return market.offers.stream()
        .map(q ->
            String.format(
                Locale.ROOT,
                "%s asks %s rUSD per million tokens trained",
                q.peer,
                dollars(TokenAmount.of(q.trainPerMillionTokens))))
        .collect(Collectors.joining("\n           "));
  }

  private static String dollars(TokenAmount amount) {
    return new BigDecimal(amount.units(), 6).toPlainString();
  }
}

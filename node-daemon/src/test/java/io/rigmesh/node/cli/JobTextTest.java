package io.rigmesh.node.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Test;

class JobTextTest {
  @Test
  void whatWasPaidByWhichChannelAndForWhichMilestonesIsShown() throws Exception {
    String proof = "0x" + "ab".repeat(32);
    assertThat(
            JobText.lines(
                new ObjectMapper()
                    .readTree(
                        """
                        {"id": "0x01", "state": "running", "paid": "1250", "channel": "0x02",
                         "milestones": [
                           {"number": 1, "steps": 20, "proof": "%s", "amountDue": "1250", "state": "paid"},
                           {"number": 2, "steps": 40, "proof": "%s", "amountDue": "1250", "state": "reached"}]}
                        """
                            .formatted(proof, proof))))
        .contains(
            "paid       1250",
            "channel    0x02",
            "milestone  1 paid, 20 steps, 1250 due, proof " + proof,
            "milestone  2 reached, 40 steps, 1250 due, proof " + proof);
  }

  @Test
  void whatAJobDoesNotHaveIsLeftOut() throws Exception {
    assertThat(JobText.lines(new ObjectMapper().readTree("{\"id\": \"0x01\", \"paid\": \"0\"}")))
        .contains("paid       0")
        .noneMatch(line -> line.startsWith("channel") || line.startsWith("milestone"));
  }
}

package io.rigmesh.worker.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.rigmesh.worker.jinja.JinjaOracle;
import io.rigmesh.worker.jinja.JinjaTemplate;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// Templates of the common shapes: what they print is what the models' documentation asks for, and
/// what Python's Jinja prints.
class CommonTemplatesTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final List<String> NAMES =
      List.of(
          "llama2",
          "llama3",
          "llama3.1",
          "mistral-v0.1",
          "mistral-v0.3",
          "qwen2.5",
          "qwen3",
          "chatml",
          "smollm2",
          "zephyr",
          "gemma");

  private static final String QUESTION = "[{'role': 'user', 'content': ' Hi? '}]";
  private static final String SYSTEM =
      "[{'role': 'system', 'content': 'Be brief.'}, {'role': 'user', 'content': 'Hi'}]";
  private static final String TURNS =
      """
      [{'role': 'system', 'content': 'Be brief.'}, {'role': 'user', 'content': 'Hi'},
       {'role': 'assistant', 'content': ' Hello. '}, {'role': 'user', 'content': 'Bye'}]
      """;
  private static final String TURNS_ALONE =
      """
      [{'role': 'user', 'content': 'Hi'}, {'role': 'assistant', 'content': 'Hello'},
       {'role': 'user', 'content': 'Bye'}]
      """;
  private static final String THOUGHT =
      """
      [{'role': 'user', 'content': '1+1?'},
       {'role': 'assistant', 'content': '<think>\\neasy\\n</think>\\n\\n2'},
       {'role': 'user', 'content': '2+2?'}]
      """;
  private static final String CALLED =
      """
      [{'role': 'user', 'content': 'Weather in Köln?'},
       {'role': 'assistant', 'content': '', 'tool_calls': [{'type': 'function', 'id': 'abcdefghi',
         'function': {'name': 'weather', 'arguments': {'city': 'Köln', 'days': 2}}}]},
       {'role': 'tool', 'tool_call_id': 'abcdefghi', 'content': '{"sky": "grey"}'}]
      """;
  private static final String TOOLS =
      """
      [{'type': 'function', 'function': {'name': 'weather', 'description': 'Tells the weather',
        'parameters': {'type': 'object', 'properties': {'city': {'type': 'string'}},
        'required': ['city']}}}]
      """;

  @Test
  void llama2() throws IOException {
    assertThat(render("llama2", QUESTION)).isEqualTo("<s>[INST] Hi? [/INST]");
    assertThat(render("llama2", TURNS))
        .isEqualTo(
            "<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHi [/INST] Hello. </s><s>[INST] Bye [/INST]");
    assertRefused("llama2", "[{'role': 'assistant', 'content': 'x'}]", "Roles must alternate");
  }

  @Test
  void llama3() throws IOException {
    assertThat(render("llama3", TURNS))
        .isEqualTo(
            """
            <s><|start_header_id|>system<|end_header_id|>

            Be brief.<|eot_id|><|start_header_id|>user<|end_header_id|>

            Hi<|eot_id|><|start_header_id|>assistant<|end_header_id|>

            Hello.<|eot_id|><|start_header_id|>user<|end_header_id|>

            Bye<|eot_id|><|start_header_id|>assistant<|end_header_id|>

            """);
  }

  @Test
  void llama31() throws IOException {
    assertThat(render("llama3.1", SYSTEM))
        .isEqualTo(
            """
            <s><|start_header_id|>system<|end_header_id|>

            Cutting Knowledge Date: December 2023
            Today Date: 22 Nov 2026

            Be brief.<|eot_id|><|start_header_id|>user<|end_header_id|>

            Hi<|eot_id|><|start_header_id|>assistant<|end_header_id|>

            """);
    assertThat(render("llama3.1", CALLED, TOOLS, Map.of("date_string", new TextNode("1 May 2025"))))
        .isEqualTo(
            """
            <s><|start_header_id|>system<|end_header_id|>

            Environment: ipython
            Cutting Knowledge Date: December 2023
            Today Date: 1 May 2025

            <|eot_id|><|start_header_id|>user<|end_header_id|>

            Given the following functions, please respond with a JSON for a function call with its proper arguments that best answers the given prompt.

            Respond in the format {"name": function name, "parameters": dictionary of argument name and its value}. Do not use variables.

            {
                "type": "function",
                "function": {
                    "name": "weather",
                    "description": "Tells the weather",
                    "parameters": {
                        "type": "object",
                        "properties": {
                            "city": {
                                "type": "string"
                            }
                        },
                        "required": [
                            "city"
                        ]
                    }
                }
            }

            Weather in Köln?<|eot_id|><|start_header_id|>assistant<|end_header_id|>

            {"name": "weather", "parameters": {"city": "Köln", "days": 2}}<|eot_id|><|start_header_id|>ipython<|end_header_id|>

            {"sky": "grey"}<|eot_id|><|start_header_id|>assistant<|end_header_id|>

            """);
  }

  @Test
  void mistralBeforeAndAfterTools() throws IOException {
    assertThat(render("mistral-v0.1", TURNS_ALONE))
        .isEqualTo("<s>[INST] Hi [/INST]Hello</s> [INST] Bye [/INST]");
    assertRefused("mistral-v0.1", SYSTEM, "Roles must alternate");
    assertThat(render("mistral-v0.3", TURNS))
        .isEqualTo("<s>[INST] Hi[/INST] Hello.</s>[INST] Be brief.\n\nBye[/INST]");
    assertThat(render("mistral-v0.3", CALLED, TOOLS, Map.of()))
        .isEqualTo(
            "<s>[AVAILABLE_TOOLS] [{\"type\": \"function\", \"function\": {\"name\": \"weather\","
                + " \"description\": \"Tells the weather\", \"parameters\": {\"type\": \"object\","
                + " \"properties\": {\"city\": {\"type\": \"string\"}}, \"required\": [\"city\"]}}}]"
                + "[/AVAILABLE_TOOLS][INST] Weather in Köln?[/INST][TOOL_CALLS] [{\"name\":"
                + " \"weather\", \"arguments\": {\"city\": \"Köln\", \"days\": 2}, \"id\":"
                + " \"abcdefghi\"}]</s>[TOOL_RESULTS] {\"content\": {\"sky\": \"grey\"},"
                + " \"call_id\": \"abcdefghi\"}[/TOOL_RESULTS]");
    assertRefused(
        "mistral-v0.3", CALLED.replace("abcdefghi", "short"), "Ids of tool calls have nine");
  }

  private static final String QWEN_TOOLS =
      """
      # Tools

      You may call one or more functions to assist with the user query.

      You are provided with function signatures within <tools></tools> XML tags:
      <tools>
      {"type": "function", "function": {"name": "weather", "description": "Tells the weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}
      </tools>

      For each function call, return a json object with function name and arguments within <tool_call></tool_call> XML tags:
      <tool_call>
      {"name": <function-name>, "arguments": <args-json-object>}
      </tool_call><|im_end|>
      """;

  private static final String QWEN_CALL =
      """
      <tool_call>
      {"name": "weather", "arguments": {"city": "Köln", "days": 2}}
      </tool_call><|im_end|>
      <|im_start|>user
      <tool_response>
      {"sky": "grey"}
      </tool_response><|im_end|>
      <|im_start|>assistant
      """;

  @Test
  void qwen25() throws IOException {
    assertThat(render("qwen2.5", QUESTION))
        .isEqualTo(
            """
            <|im_start|>system
            You are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>
            <|im_start|>user
             Hi? <|im_end|>
            <|im_start|>assistant
            """);
    assertThat(render("qwen2.5", CALLED, TOOLS, Map.of()))
        .isEqualTo(
            "<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.\n\n"
                + QWEN_TOOLS
                + "<|im_start|>user\nWeather in Köln?<|im_end|>\n<|im_start|>assistant\n"
                + QWEN_CALL);
  }

  @Test
  void qwen3() throws IOException {
    assertThat(render("qwen3", CALLED, TOOLS, Map.of()))
        .isEqualTo(
            "<|im_start|>system\n"
                + QWEN_TOOLS
                + "<|im_start|>user\nWeather in Köln?<|im_end|>\n<|im_start|>assistant\n"
                + QWEN_CALL);
    assertThat(render("qwen3", THOUGHT))
        .isEqualTo(
            """
            <|im_start|>user
            1+1?<|im_end|>
            <|im_start|>assistant
            2<|im_end|>
            <|im_start|>user
            2+2?<|im_end|>
            <|im_start|>assistant
            """);
    assertThat(render("qwen3", SYSTEM, "[]", Map.of("enable_thinking", BooleanNode.FALSE)))
        .isEqualTo(
            """
            <|im_start|>system
            Be brief.<|im_end|>
            <|im_start|>user
            Hi<|im_end|>
            <|im_start|>assistant
            <think>

            </think>

            """);
  }

  @Test
  void chatMlAndSmolLm2() throws IOException {
    String turns =
        """
        <|im_start|>system
        Be brief.<|im_end|>
        <|im_start|>user
        Hi<|im_end|>
        <|im_start|>assistant
         Hello. <|im_end|>
        <|im_start|>user
        Bye<|im_end|>
        <|im_start|>assistant
        """;
    assertThat(render("chatml", TURNS)).isEqualTo(turns);
    assertThat(render("smollm2", TURNS)).isEqualTo(turns);
    assertThat(render("smollm2", QUESTION))
        .isEqualTo(
            """
            <|im_start|>system
            You are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>
            <|im_start|>user
             Hi? <|im_end|>
            <|im_start|>assistant
            """);
  }

  @Test
  void zephyr() throws IOException {
    assertThat(render("zephyr", SYSTEM))
        .isEqualTo("<|system|>\nBe brief.</s>\n<|user|>\nHi</s>\n<|assistant|>\n");
  }

  @Test
  void gemma() throws IOException {
    assertThat(render("gemma", TURNS_ALONE))
        .isEqualTo(
            """
            <s><start_of_turn>user
            Hi<end_of_turn>
            <start_of_turn>model
            Hello<end_of_turn>
            <start_of_turn>user
            Bye<end_of_turn>
            <start_of_turn>model
            """);
    assertRefused("gemma", SYSTEM, "System role not supported");
  }

  @Test
  void everyTemplatePrintsEveryChatAsPythonsJinja() throws IOException, InterruptedException {
    List<JinjaOracle.Case> cases = new ArrayList<>();
    for (String name : NAMES) {
      for (String chat :
          List.of(QUESTION, SYSTEM, TURNS, TURNS_ALONE, THOUGHT, CALLED, "[{'role': 'x'}]")) {
        for (String tools : List.of("null", TOOLS)) {
          Map<String, JsonNode> variables = new HashMap<>();
          variables.put("messages", json(chat));
          variables.put("tools", json(tools));
          variables.put("bos_token", new TextNode("<s>"));
          variables.put("eos_token", new TextNode("</s>"));
          variables.put("add_generation_prompt", BooleanNode.TRUE);
          cases.add(new JinjaOracle.Case(source(name), variables));
        }
      }
    }
    List<JinjaOracle.Answer> theirs = JinjaOracle.answers(cases);
    assertThat(theirs).extracting(JinjaOracle.Answer::kind).contains("text", "refusal", "error");
    for (int i = 0; i < cases.size(); i++) {
      JinjaOracle.Answer ours = JinjaOracle.ours(cases.get(i));
      assertThat(ours.kind())
          .as("%s%n%s%n%s", cases.get(i), theirs.get(i), ours)
          .isEqualTo(theirs.get(i).kind());
      if (!ours.kind().equals("error")) {
        assertThat(ours.text()).as("%s", cases.get(i)).isEqualTo(theirs.get(i).text());
      }
    }
  }

  private static void assertRefused(String name, String messages, String said) {
    assertThatThrownBy(() -> render(name, messages))
        .isInstanceOf(ChatTemplateException.class)
        .hasMessageContaining("The model's chat template refuses these messages: " + said);
  }

  private static String render(String name, String messages) throws IOException {
    return render(name, messages, "null", Map.of());
  }

  private static String render(
      String name, String messages, String tools, Map<String, JsonNode> variables)
      throws IOException {
    ChatTemplate template =
        new ChatTemplate(
            Map.of(ChatTemplate.DEFAULT, JinjaTemplate.parse(source(name))),
            Map.of("bos_token", "<s>", "eos_token", "</s>"));
    JsonNode given = json(tools);
    return template.render(
        new Chat(
            json(messages),
            given.isNull() ? NullNode.getInstance() : given,
            true,
            variables,
            JinjaOracle.NOW));
  }

  /// JSON whose single quotes stand for double ones, but for those within double ones.
  private static JsonNode json(String text) throws IOException {
    StringBuilder json = new StringBuilder();
    boolean quoted = false;
    for (char c : text.toCharArray()) {
      if (c == '\'') {
        quoted = !quoted;
        json.append('"');
      } else {
        json.append(c == '"' && quoted ? "\\\"" : String.valueOf(c));
      }
    }
    return JSON.readTree(json.toString());
  }

  private static String source(String name) throws IOException {
    try (InputStream in =
        CommonTemplatesTest.class.getResourceAsStream("/chat-templates/" + name + ".jinja")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}

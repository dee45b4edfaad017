// Uses a node as OpenAI's users do, and says as one line of JSON what it got:
//   node client.mjs BASE_URL KEY SCENARIO
import OpenAI from 'openai';

const [baseURL, apiKey, scenario] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0, timeout: 60_000 });
const messages = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: 'Say hi' },
];

const scenarios = {
  chat: () =>
    client.chat.completions.create({
      model: 'a writer',
      messages,
      max_completion_tokens: 7,
      temperature: 0.5,
      stop: ['END'],
      seed: 3,
      logprobs: true,
      top_logprobs: 1,
      // Names of others' extensions and of this market pass through the client as they are.
      min_p: 0.05,
      profile: 'i8-v1',
    }),

  stream: async () => {
    const stream = await client.chat.completions.create({
      model: 'a writer',
      messages,
      stream: true,
      stream_options: { include_usage: true },
    });
    const seen = { text: '', roles: [], finish: [], usage: null };
    for await (const chunk of stream) {
      seen.usage = chunk.usage ?? seen.usage;
      for (const choice of chunk.choices) {
        seen.text += choice.delta.content ?? '';
        if (choice.delta.role) seen.roles.push(choice.delta.role);
        if (choice.finish_reason) seen.finish.push(choice.finish_reason);
      }
    }
    return seen;
  },

  // The client puts the chunks together by itself, and checks them.
  assembled: () =>
    client.chat.completions.stream({ model: 'a writer', messages }).finalChatCompletion(),

  abort: async () => {
    const stream = await client.chat.completions.create({ model: 'a writer', messages, stream: true });
    for await (const chunk of stream) {
      if (chunk.choices[0].delta.content) {
        stream.controller.abort();
        return { text: chunk.choices[0].delta.content };
      }
    }
  },

  completion: () => client.completions.create({ model: 'a writer', prompt: 'Once', logprobs: 1 }),

  embeddings: () =>
    // Without a format the client asks for base64 and makes numbers of it.
    client.embeddings.create({ model: 'a model', input: ['one', 'two'] }),

  models: async () => {
    const ids = [];
    for await (const model of client.models.list()) ids.push(model.id);
    return { ids, root: (await client.models.retrieve('a writer')).root };
  },

  errors: async () => {
    const broken = {};
    const cases = {
      unknownModel: () => client.chat.completions.create({ model: 'another', messages }),
      wrongKey: () => client.withOptions({ apiKey: 'a wrong one' }).models.list(),
      unsupported: () => client.chat.completions.create({ model: 'a writer', messages, n: 2 }),
    };
    for (const [name, attempt] of Object.entries(cases)) {
      broken[name] = await attempt().then(() => 'no error', described);
    }
    return broken;
  },

  failure: async () => {
    try {
      const stream = await client.chat.completions.create({ model: 'a writer', messages, stream: true });
      for await (const _ of stream);
      return { error: 'no error' };
    } catch (e) {
      return described(e);
    }
  },
};

function described(e) {
  return { error: e.constructor.name, status: e.status, code: e.code, param: e.param, type: e.type, message: e.message };
}

console.log(JSON.stringify(await scenarios[scenario]()));

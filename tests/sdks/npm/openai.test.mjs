// OpenAI's JavaScript client on chat completions and responses.

import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI from "openai";
import { zodResponseFormat, zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";
import { adder, base, collect, key, model, png, scripted, words } from "./target.mjs";

const client = new OpenAI({ baseURL: base, apiKey: key, maxRetries: 0 });
const asking = (content) => [{ role: "user", content }];
const chatTool = { type: "function", function: { name: "adder", parameters: adder } };
const tool = { type: "function", name: "adder", parameters: adder, strict: true };
const Sum = z.object({ a: z.number(), b: z.number(), name: z.string() });

test("a chat completion", async () => {
  const answer = await client.chat.completions.create({
    model,
    messages: [{ role: "system", content: "Be brief." }, ...asking(scripted({ text: "Hello, heliotrope." }))],
  });
  assert.equal(answer.object, "chat.completion");
  const [choice] = answer.choices;
  assert.equal(choice.message.content, "Hello, heliotrope.");
  assert.equal(choice.finish_reason, "stop");
  assert.ok(answer.usage.prompt_tokens > 0);
  assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);
});

test("a streamed chat completion", async () => {
  const chunks = await collect(
    await client.chat.completions.create({
      model,
      messages: asking(scripted({ words: 40 })),
      stream: true,
      stream_options: { include_usage: true },
    }),
  );
  const text = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("");
  assert.equal(words(text), 40);
  assert.equal(new Set(chunks.map((chunk) => chunk.id)).size, 1);
  assert.deepEqual(chunks.at(-1).choices, []);
  assert.ok(chunks.at(-1).usage.completion_tokens > 0);
});

test("the streaming helper puts tool calls together", async () => {
  const calls = [
    { name: "adder", arguments: { a: 1, b: 2 }, id: "call_1" },
    { name: "adder", arguments: { a: 3, b: 4 }, id: "call_2" },
  ];
  const stream = client.chat.completions.stream({
    model,
    messages: asking(scripted({ tool_calls: calls })),
    tools: [chatTool],
  });
  const { choices } = await stream.finalChatCompletion();
  assert.equal(choices[0].finish_reason, "tool_calls");
  const made = choices[0].message.tool_calls.map((call) => JSON.parse(call.function.arguments));
  assert.deepEqual(made, [{ a: 1, b: 2 }, { a: 3, b: 4 }]);
});

test("the tool runner calls functions until there is an answer", async () => {
  const seen = [];
  const runner = client.chat.completions.runTools({
    model,
    messages: asking("Use adder for 3 and 4."),
    tools: [
      {
        type: "function",
        function: {
          name: "adder",
          description: "Adds.",
          parameters: adder,
          parse: JSON.parse,
          function: ({ a, b }) => {
            seen.push([a, b]);
            return String(a + b);
          },
        },
      },
    ],
  });
  assert.ok(await runner.finalContent());
  assert.deepEqual(seen, [[3, 4]]);
});

test("a forced function", async () => {
  const answer = await client.chat.completions.create({
    model,
    messages: asking("5 and 6, please."),
    tools: [chatTool],
    tool_choice: { type: "function", function: { name: "adder" } },
  });
  const [call] = answer.choices[0].message.tool_calls;
  assert.deepEqual(JSON.parse(call.function.arguments), { a: 5, b: 6 });
});

test("parsed structured output of a chat completion", async () => {
  const answer = await client.chat.completions.parse({
    model,
    messages: asking("3, 4 and 'seven'"),
    response_format: zodResponseFormat(Sum, "sum"),
  });
  assert.deepEqual(answer.choices[0].message.parsed, { a: 3, b: 4, name: "seven" });
});

test("an image in a chat completion", async () => {
  const answer = await client.chat.completions.create({
    model,
    messages: asking([
      { type: "text", text: "What is this?" },
      { type: "image_url", image_url: { url: `data:image/png;base64,${png}` } },
    ]),
  });
  assert.ok(answer.choices[0].message.content);
});

test("errors have the vendor's classes", async () => {
  await assert.rejects(
    client.chat.completions.create({ model, messages: [] }),
    (error) => error instanceof OpenAI.BadRequestError && error.param === "messages",
  );
  await assert.rejects(
    client.chat.completions.create({ model: "no-such-model", messages: asking("Hi") }),
    (error) => error instanceof OpenAI.NotFoundError && error.code === "model_not_found",
  );
  const stranger = new OpenAI({ baseURL: base, apiKey: "sk-wrong", maxRetries: 0 });
  await assert.rejects(
    stranger.chat.completions.create({ model, messages: asking("Hi") }),
    OpenAI.AuthenticationError,
  );
});

test("an answer that breaks off is an error in its stream", async () => {
  const call = { name: "adder", arguments: { a: 1, b: 2 } };
  const script = { tool_calls: [call], faults: [{ kind: "cut", after_tokens: 1 }] };
  const messages = asking(scripted(script));
  const stream = await client.chat.completions.create({ model, messages, tools: [chatTool], stream: true });
  await assert.rejects(collect(stream));
});

test("models are listed", async () => {
  const models = await collect(client.models.list());
  assert.ok(models.some((each) => each.id === model));
});

test("a response", async () => {
  const answer = await client.responses.create({
    model,
    instructions: "Be brief.",
    input: scripted({ text: "Hello, heliotrope." }),
  });
  assert.equal(answer.status, "completed");
  assert.equal(answer.output_text, "Hello, heliotrope.");
  assert.ok(answer.usage.input_tokens > 0);
  assert.ok(answer.usage.output_tokens > 0);
});

test("the streaming helper of responses", async () => {
  const stream = client.responses.stream({ model, input: scripted({ words: 40 }) });
  const kinds = [];
  let text = "";
  for await (const event of stream) {
    kinds.push(event.type);
    if (event.type === "response.output_text.delta") text += event.delta;
  }
  const answer = await stream.finalResponse();
  assert.equal(kinds[0], "response.created");
  assert.equal(kinds.at(-1), "response.completed");
  assert.equal(answer.output_text, text);
  assert.equal(words(text), 40);
});

test("a function call of a response and its result, with the response before", async () => {
  const first = await client.responses.create({ model, input: "Use adder for 3 and 4.", tools: [tool] });
  const call = first.output.find((item) => item.type === "function_call");
  assert.deepEqual(JSON.parse(call.arguments), { a: 3, b: 4 });
  const second = await client.responses.create({
    model,
    previous_response_id: first.id,
    input: [{ type: "function_call_output", call_id: call.call_id, output: "7" }],
    tools: [tool],
  });
  assert.ok(second.output_text);
});

test("a function call of a response that is kept nowhere", async () => {
  const input = asking("Use adder for 3 and 4.");
  const first = await client.responses.create({ model, input, tools: [tool], store: false });
  const call = first.output.find((item) => item.type === "function_call");
  const result = { type: "function_call_output", call_id: call.call_id, output: "7" };
  const second = await client.responses.create({
    model,
    input: [...input, ...first.output, result],
    tools: [tool],
    store: false,
  });
  assert.ok(second.output_text);
});

test("parsed structured output of a response", async () => {
  const answer = await client.responses.parse({
    model,
    input: "3, 4 and 'seven'",
    text: { format: zodTextFormat(Sum, "sum") },
  });
  assert.deepEqual(answer.output_parsed, { a: 3, b: 4, name: "seven" });
});

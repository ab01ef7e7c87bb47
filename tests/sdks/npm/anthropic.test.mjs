// Anthropic's JavaScript client on messages.

import assert from "node:assert/strict";
import { test } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import { betaTool } from "@anthropic-ai/sdk/helpers/beta/json-schema";
import { adder, collect, key, model, png, root, scripted, words } from "./target.mjs";

const client = new Anthropic({ baseURL: root, apiKey: key, maxRetries: 0 });
const asking = (content) => [{ role: "user", content }];
const textOf = (message) =>
  message.content.filter((block) => block.type === "text").map((block) => block.text).join("");
const tools = [{ name: "adder", description: "Adds.", input_schema: adder }];

test("a message", async () => {
  const message = await client.messages.create({
    model,
    max_tokens: 100,
    system: [{ type: "text", text: "Be brief.", cache_control: { type: "ephemeral" } }],
    messages: asking(scripted({ text: "Hello, heliotrope." })),
  });
  assert.equal(message.type, "message");
  assert.equal(message.stop_reason, "end_turn");
  assert.equal(textOf(message), "Hello, heliotrope.");
  assert.ok(message.usage.input_tokens > 0);
  assert.ok(message.usage.output_tokens > 0);
});

test("raw events come in order", async () => {
  const events = await collect(
    await client.messages.create({ model, max_tokens: 100, messages: asking("Hello"), stream: true }),
  );
  const kinds = events.map((event) => event.type);
  assert.equal(kinds[0], "message_start");
  assert.deepEqual(kinds.slice(-2), ["message_delta", "message_stop"]);
});

test("the streaming helper", async () => {
  let text = "";
  const stream = client.messages
    .stream({ model, max_tokens: 100, messages: asking(scripted({ words: 40 })) })
    .on("text", (piece) => {
      text += piece;
    });
  const message = await stream.finalMessage();
  assert.equal(textOf(message), text);
  assert.equal(words(text), 40);
});

for (const streamed of [false, true]) {
  test(`tools and their results, ${streamed ? "streamed" : "whole"}`, async () => {
    const ask = async (messages) => {
      const request = { model, max_tokens: 200, tools, messages };
      return streamed ? client.messages.stream(request).finalMessage() : client.messages.create(request);
    };
    const messages = asking("Use adder for 3 and 4.");
    const first = await ask(messages);
    assert.equal(first.stop_reason, "tool_use");
    const call = first.content.find((block) => block.type === "tool_use");
    assert.deepEqual(call.input, { a: 3, b: 4 });
    const image = { type: "image", source: { type: "base64", media_type: "image/png", data: png } };
    const content = [{ type: "text", text: "7" }, image];
    const result = { type: "tool_result", tool_use_id: call.id, content };
    const second = await ask([
      ...messages,
      { role: "assistant", content: first.content },
      { role: "user", content: [result] },
    ]);
    assert.equal(second.stop_reason, "end_turn");
    assert.ok(textOf(second));
  });
}

for (const stream of [false, true]) {
  test(`the tool runner, ${stream ? "streamed" : "whole"}`, async () => {
    const seen = [];
    const run = ({ a, b }) => {
      seen.push([a, b]);
      return String(a + b);
    };
    const runnable = betaTool({ name: "adder", description: "Adds.", inputSchema: adder, run });
    const messages = asking("Use adder for 3 and 4.");
    const runner = client.beta.messages.toolRunner({ model, max_tokens: 200, tools: [runnable], messages, stream });
    const message = await runner.runUntilDone();
    assert.ok(textOf(message));
    assert.deepEqual(seen, [[3, 4]]);
  });
}

test("thinking comes first and is taken back", async () => {
  const thinking = { type: "enabled", budget_tokens: 1024 };
  const messages = asking(scripted({ reasoning: "Let me think.", text: "Done." }));
  const stream = client.messages.stream({ model, max_tokens: 2048, thinking, messages });
  const first = await stream.finalMessage();
  const [thought] = first.content;
  assert.equal(textOf(first), "Done.");
  if (thought.type === "thinking") assert.ok(thought.signature);
  const second = await client.messages.create({
    model,
    max_tokens: 2048,
    thinking,
    messages: [...messages, { role: "assistant", content: first.content }, ...asking("And?")],
  });
  assert.ok(textOf(second));
});

test("images and stop sequences", async () => {
  const source = { type: "base64", media_type: "image/png", data: png };
  const message = await client.messages.create({
    model,
    max_tokens: 100,
    stop_sequences: ["never said"],
    messages: asking([{ type: "image", source }, { type: "text", text: "What is this?" }]),
  });
  assert.equal(message.stop_reason, "end_turn");
  assert.ok(textOf(message));
});

test("tokens are counted", async () => {
  const count = await client.messages.countTokens({ model, messages: asking("One two three") });
  assert.ok(count.input_tokens > 0);
});

test("errors have the vendor's classes", async () => {
  const request = { model, max_tokens: 100, messages: asking("Hi") };
  await assert.rejects(
    client.messages.create({ ...request, messages: [] }),
    (error) => error instanceof Anthropic.BadRequestError && error.error.error.type === "invalid_request_error",
  );
  await assert.rejects(client.messages.create({ ...request, model: "no-such-model" }), Anthropic.NotFoundError);
  const stranger = new Anthropic({ baseURL: root, apiKey: "sk-wrong", maxRetries: 0 });
  await assert.rejects(stranger.messages.create(request), Anthropic.AuthenticationError);
});

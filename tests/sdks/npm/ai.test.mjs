// The Vercel AI SDK with each of its providers that speak a dialect of ours.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { APICallError, generateObject, generateText, Output, stepCountIs, streamObject, streamText, tool } from "ai";
import { z } from "zod";
import { base, collect, key, model as name, png, scripted, words } from "./target.mjs";

globalThis.AI_SDK_LOG_WARNINGS = false;

const connection = { baseURL: base, apiKey: key };
const openai = createOpenAI(connection);
const compatible = { ...connection, name: "cartrita", includeUsage: true, supportsStructuredOutputs: true };
const providers = {
  "openai chat": openai.chat,
  "openai responses": openai.responses,
  anthropic: createAnthropic(connection),
  "openai-compatible": createOpenAICompatible(compatible),
};
const schema = z.object({ a: z.number(), b: z.number(), name: z.string() });
const maxRetries = 0;

for (const [title, provider] of Object.entries(providers)) {
  describe(title, () => {
    const model = provider(name);

    test("generateText", async () => {
      const prompt = scripted({ text: "Hello, heliotrope." });
      const answer = await generateText({ model, system: "Be brief.", prompt, maxRetries });
      assert.equal(answer.text, "Hello, heliotrope.");
      assert.equal(answer.finishReason, "stop");
      assert.ok(answer.usage.inputTokens > 0);
      assert.ok(answer.usage.outputTokens > 0);
    });

    test("streamText", async () => {
      const answer = streamText({ model, prompt: scripted({ words: 40 }), maxRetries });
      const text = (await collect(answer.textStream)).join("");
      assert.equal(words(text), 40);
      assert.equal(await answer.finishReason, "stop");
      assert.ok((await answer.usage).outputTokens > 0);
    });

    for (const [way, run] of [["generateText", generateText], ["streamText", streamText]]) {
      test(`tools with ${way}`, async () => {
        const seen = [];
        const adder = tool({
          description: "Adds.",
          inputSchema: z.object({ a: z.number(), b: z.number() }),
          execute: async ({ a, b }) => {
            seen.push([a, b]);
            return a + b;
          },
        });
        const answer = await run({
          model,
          prompt: "Use adder for 3 and 4.",
          tools: { adder },
          stopWhen: stepCountIs(3),
          maxRetries,
        });
        assert.ok(await answer.text);
        assert.deepEqual(seen, [[3, 4]]);
        assert.equal((await answer.steps).length, 2);
      });
    }

    test("generateObject", async () => {
      const { object } = await generateObject({ model, schema, prompt: "3, 4 and 'seven'", maxRetries });
      assert.deepEqual(object, { a: 3, b: 4, name: "seven" });
    });

    test("streamObject", async () => {
      const answer = streamObject({ model, schema, prompt: "3, 4 and 'seven'", maxRetries });
      await collect(answer.partialObjectStream);
      assert.deepEqual(await answer.object, { a: 3, b: 4, name: "seven" });
    });

    test("an object as the output of a text", async () => {
      const prompt = "3, 4 and 'seven'";
      const { output } = await generateText({ model, output: Output.object({ schema }), prompt, maxRetries });
      assert.deepEqual(output, { a: 3, b: 4, name: "seven" });
    });

    test("a conversation with an image", async () => {
      const image = { type: "image", image: Buffer.from(png, "base64"), mediaType: "image/png" };
      const { text } = await generateText({
        model,
        messages: [
          { role: "user", content: "Hello" },
          { role: "assistant", content: "Hello yourself." },
          { role: "user", content: [{ type: "text", text: "What is this?" }, image] },
        ],
        maxRetries,
      });
      assert.ok(text);
    });

    test("an unknown model is an error", async () => {
      const failed = generateText({ model: provider("no-such-model"), prompt: "Hello", maxRetries });
      await assert.rejects(failed, (error) => APICallError.isInstance(error) && error.statusCode === 404);
    });
  });
}

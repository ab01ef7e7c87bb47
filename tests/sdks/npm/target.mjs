// Where the clients are pointed, as tests/sdks/test_npm.py says in the environment.

const given = (name) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run these tests by pytest tests/sdks/test_npm.py`);
  return value;
};

export const root = given("TARGET_ROOT");
export const base = `${root}/v1`;
export const key = given("TARGET_KEY");
export const model = given("TARGET_MODEL");

/** A prompt that tells the scripted upstream what to answer; see fake_provider/script.py. */
export const scripted = (script, prompt = "Hello") => `${prompt}[[script ${JSON.stringify(script)}]]`;

export const words = (text) => text.trim().split(/\s+/).length;

export const adder = {
  type: "object",
  properties: { a: { type: "integer" }, b: { type: "integer" } },
  required: ["a", "b"],
  additionalProperties: false,
};

/** One red pixel. */
export const png =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";

export const collect = async (iterable) => {
  const items = [];
  for await (const item of iterable) items.push(item);
  return items;
};

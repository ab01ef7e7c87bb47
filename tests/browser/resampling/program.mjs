/** Tells how loud tones are once the console has made 16,000 samples a second of them. */

import { Resampling } from './resampling.js';

const TARGET = 16_000;
const LONG_S = 0.5;
/** What the microphone gives at once. */
const QUANTUM = 128;

function tone(rate, frequency) {
  return Float32Array.from({ length: rate * LONG_S }, (_, at) => Math.sin((2 * Math.PI * frequency * at) / rate));
}

function resampled(samples, rate, piece) {
  const resampling = new Resampling(rate, TARGET);
  const made = [];
  for (let at = 0; at < samples.length; at += piece) made.push(...resampling.take(samples.slice(at, at + piece)));
  return made;
}

/** The root of the mean square of the middle, as that of a tone of the same height would be 1. */
function loudness(samples) {
  const middle = samples.slice(samples.length / 4, (samples.length * 3) / 4);
  return Math.sqrt((2 * middle.reduce((sum, each) => sum + each * each, 0)) / middle.length);
}

for (const rate of JSON.parse(process.argv[2])) {
  const heard = {};
  for (const frequency of [300, 1_000, 3_000, 6_000, 9_000, 10_000, 15_000, 20_000]) {
    if (frequency < rate / 2) heard[frequency] = loudness(resampled(tone(rate, frequency), rate, QUANTUM));
  }
  const [pieces, whole] = [QUANTUM, rate].map((piece) => resampled(tone(rate, 1_000), rate, piece));
  console.log(JSON.stringify({ rate, heard, samples: pieces.length, alike: JSON.stringify(pieces) === JSON.stringify(whole) }));
}

"""Seeded words, and the tokens that any text falls into."""

import random
import re

# Words of one to four bytes a character, so that a cut anywhere meets half a UTF-8 sequence.
_WORDS = (
    "a also and answer autumn bread bright calm café canal chair cloud coffee copper corner dawn "
    "desk door dream earth evening façade far field fire flower forest garden glass gold grain "
    "green harbor heart hill honey house iron island jam jasmine keen kettle lamp lantern leaf "
    "lemon light linen little map maple meadow milk mirror moon morning naïve near night oak ocean "
    "olive orange paper pearl pepper piano plain plum quiet rain reed river road rose salt sand "
    "sea seed señor shade silver slow smörgås snow song spring stone storm street sugar summer sun "
    "table tea thread tide timber tower tree valley velvet violet voice wall warm water wave well "
    "wheat wheel willow wind window winter wood wool yarn yellow zinc über "
    "привет мир река 日本 東京 水 夢 안녕 שלום سلام नमस्ते 🙂 🌊 🚲 👍🏽 𝄞"
)
LEXICON = tuple(_WORDS.split())
# A word longer than eight characters is several tokens, as it is for a real tokenizer.
_TOKEN = re.compile(r"\s*\S{1,8}|\s+")


def draw(count: int, key: str) -> str:
    """Return `count` words: the same for the same key, on every machine and Python version."""
    chance = random.Random(key)
    return " ".join(chance.choice(LEXICON) for _ in range(count))


def tokens(text: str) -> list[str]:
    """Cut a text into tokens; joined they are the text again."""
    return _TOKEN.findall(text)


def count(text: str) -> int:
    return len(tokens(text))

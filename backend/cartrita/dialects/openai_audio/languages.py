"""Names of languages as Whisper tells them, and their tags."""

from types import MappingProxyType
from typing import Final

_NAMES: Final = """
af afrikaans|am amharic|ar arabic|as assamese|az azerbaijani|ba bashkir|be belarusian|bg bulgarian
bn bengali|bo tibetan|br breton|bs bosnian|ca catalan|cs czech|cy welsh|da danish|de german|el greek
en english|es spanish|et estonian|eu basque|fa persian|fi finnish|fo faroese|fr french|gl galician
gu gujarati|ha hausa|haw hawaiian|he hebrew|hi hindi|hr croatian|ht haitian creole|hu hungarian
hy armenian|id indonesian|is icelandic|it italian|ja japanese|jw javanese|ka georgian|kk kazakh
km khmer|kn kannada|ko korean|la latin|lb luxembourgish|ln lingala|lo lao|lt lithuanian|lv latvian
mg malagasy|mi maori|mk macedonian|ml malayalam|mn mongolian|mr marathi|ms malay|mt maltese
my myanmar|ne nepali|nl dutch|nn nynorsk|no norwegian|oc occitan|pa punjabi|pl polish|ps pashto
pt portuguese|ro romanian|ru russian|sa sanskrit|sd sindhi|si sinhala|sk slovak|sl slovenian
sn shona|so somali|sq albanian|sr serbian|su sundanese|sv swedish|sw swahili|ta tamil|te telugu
tg tajik|th thai|tk turkmen|tl tagalog|tr turkish|tt tatar|uk ukrainian|ur urdu|uz uzbek
vi vietnamese|yi yiddish|yo yoruba|yue cantonese|zh chinese
"""
_BY_TAG: Final = MappingProxyType(
    {
        tag: name
        for line in _NAMES.strip().splitlines()
        for tag, _, name in (entry.partition(" ") for entry in line.split("|"))
    }
)
_BY_NAME: Final = MappingProxyType({name: tag for tag, name in _BY_TAG.items()})
_LONGEST: Final = 35
"""In characters: what is longer is no tag."""


def primary(tag: str) -> str:
    """The language of a tag without its region: `en` of `en-US`."""
    return tag.replace("_", "-").partition("-")[0].lower()


def language_name(tag: str) -> str:
    """The name of a tag's language, or the tag where it has none."""
    return _BY_TAG.get(primary(tag), tag)


def language_tag(told: str) -> str | None:
    """The tag of what a server calls a language, by its name or by a tag; None for neither."""
    word = told.strip()
    if known := _BY_NAME.get(word.lower()):
        return known
    usable = 0 < len(word) <= _LONGEST and word.isascii() and word.replace("-", "").isalnum()
    return word if usable else None

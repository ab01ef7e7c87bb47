"""Nodes for ComfyUI in which models of a Cartrita server write texts and improve prompts.

Copy this folder to `ComfyUI/custom_nodes/cartrita`, set OPENAI_BASE_URL (with its `/v1`) and
OPENAI_API_KEY where ComfyUI starts, and find the nodes under "AI".
"""

import os
from typing import Any

import requests

_USUAL_MODELS = ["chat", "code", "high_volume", "llama3.1:8b", "qwen-coder"]
_INSTRUCTIONS = """\
You improve prompts for image generation. Rewrite the user's prompt in a {style} style: add what
matters of light, composition and detail. Return the prompt alone, without a word around it."""


def server() -> str:
    """The address of the OpenAI API, without a slash at its end."""
    return os.environ.get("OPENAI_BASE_URL", "http://127.0.0.1:8000/v1").rstrip("/")


def models() -> list[str]:
    """What the server offers, the usual one first; while it is away, what all servers offer."""
    try:
        listed = called("GET", "/models", timeout_s=2)
    except RuntimeError:
        return _USUAL_MODELS
    others = (model["id"] for model in listed["data"])
    return ["chat", *(name for name in others if name != "chat")]


def answered(messages: list[dict[str, str]], **parameters: str | float) -> str:
    """The text with which a model answers."""
    completion = called("POST", "/chat/completions", {"messages": messages, **parameters})
    return completion["choices"][0]["message"]["content"]


def called(
    method: str, path: str, body: dict[str, Any] | None = None, timeout_s: float = 300
) -> dict[str, Any]:
    """What the server answers; RuntimeErrors have a sentence, which ComfyUI shows at the node."""
    headers = {"Authorization": f"Bearer {os.environ.get('OPENAI_API_KEY', '')}"}
    try:
        response = requests.request(
            method, server() + path, headers=headers, json=body, timeout=timeout_s
        )
        answer = response.json()
    except requests.JSONDecodeError:
        raise RuntimeError(f"{server()} is no Cartrita server: correct OPENAI_BASE_URL.") from None
    except requests.Timeout:
        raise RuntimeError(f"{server()} took longer than {timeout_s:g} s.") from None
    except requests.ConnectionError:
        raise RuntimeError(
            f"No server answers at {server()}: start it, or correct OPENAI_BASE_URL."
        ) from None
    if not response.ok:
        error: Any = answer["error"]
        raise RuntimeError(error if isinstance(error, str) else error["message"])
    return answer


class AITextGenerator:
    """A text from a prompt."""

    RETURN_TYPES = ("STRING",)
    FUNCTION = "generate"
    CATEGORY = "AI"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": {
                "prompt": ("STRING", {"multiline": True, "default": ""}),
                "model": (models(),),
                "temperature": ("FLOAT", {"default": 0.7, "min": 0.0, "max": 2.0, "step": 0.1}),
                "max_tokens": ("INT", {"default": 500, "min": 1, "max": 4000}),
            }
        }

    def generate(self, prompt: str, model: str, temperature: float, max_tokens: int) -> tuple[str]:
        messages = [{"role": "user", "content": prompt}]
        text = answered(messages, model=model, temperature=temperature, max_tokens=max_tokens)
        return (text,)


class AIPromptEnhancer:
    """A better prompt for the image nodes that follow."""

    RETURN_TYPES = ("STRING",)
    FUNCTION = "enhance"
    CATEGORY = "AI"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": {
                "base_prompt": ("STRING", {"multiline": True, "default": ""}),
                "style": (["realistic", "artistic", "anime", "cinematic"],),
            }
        }

    def enhance(self, base_prompt: str, style: str) -> tuple[str]:
        messages = [
            {"role": "system", "content": _INSTRUCTIONS.format(style=style)},
            {"role": "user", "content": base_prompt},
        ]
        return (answered(messages, model="chat", temperature=0.8, max_tokens=200),)


NODE_CLASS_MAPPINGS = {"AITextGenerator": AITextGenerator, "AIPromptEnhancer": AIPromptEnhancer}
NODE_DISPLAY_NAME_MAPPINGS = {
    "AITextGenerator": "AI text (Cartrita)",
    "AIPromptEnhancer": "AI prompt enhancer (Cartrita)",
}

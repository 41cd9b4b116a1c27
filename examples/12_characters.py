"""A network that writes, character by character: it has read Shakespeare, or what Python says of itself.

An LSTM reads a text and says at each character how probable each one is as the next. The text is cut into windows of
100 characters, nine tenths of them to learn from. How good the network is tells the perplexity on the rest: among how
many equally probable characters it hesitates, on average: 4.9 for Shakespeare. To write, it draws a character from
what it says, reads it, and so on, a step at a time; probabilities to the power of 1 / temperature make it careful
below 1 and wild above. The idea is Shannon's (Bell System Technical Journal 27, 1948); with recurrent networks see
Sutskever, Martens and Hinton, ICML 2011.

    python examples/12_characters.py path/of/a/text --prompt "ROMEO:"
    python examples/12_characters.py             # pydoc's topics, which come with Python
    python examples/12_characters.py --short     # a small network, for some seconds

Shakespeare is 1.1 MB of plays (https://github.com/karpathy/char-rnn, data/tinyshakespeare).
"""

import argparse
import math
import time
from collections.abc import Sequence
from pathlib import Path
from pydoc_data.topics import topics

import numpy as np

import nnext as nn

WINDOW = 100


def main(arguments: Sequence[str] | None = None) -> tuple[float, str]:
    """Train and write; return the perplexity on the last tenth of the text, and what was written."""
    parser = argparse.ArgumentParser(description="Learn to write from a text.")
    parser.add_argument("text", nargs="?", help="a file in UTF-8 (default: the topics of Python's help)")
    parser.add_argument("--short", action="store_true", help="a small network and 100,000 characters: some seconds")
    parser.add_argument("--epochs", type=int, help="6, or 15 of the short form, by default")
    parser.add_argument("--prompt", default="The ", help="what the written text begins with")
    parser.add_argument("--length", type=int, default=500, help="how many characters to write")
    parser.add_argument("--temperature", type=float, default=0.8)
    parser.add_argument("--save", metavar="FILE", help="keep the trained model in a .safetensors file")
    options = parser.parse_args(arguments)

    text = Path(options.text).read_text(encoding="utf-8") if options.text else "\n\n".join(topics.values())
    text = text[:100_000] if options.short else text
    alphabet, codes = np.unique(list(text), return_inverse=True)
    unknown = set(options.prompt) - set(alphabet)
    if unknown or not options.prompt:
        parser.error(f"the prompt has {''.join(sorted(unknown))!r}, which the text has not; give one of its characters")
    cut = len(codes) * 9 // 10
    X, y = windows(codes[:cut])
    X_last, y_last = windows(codes[cut:])
    print(f"{len(text):,} characters, {len(alphabet)} different ones; {len(X):,} windows to learn from")

    model = network(len(alphabet), 64 if options.short else 256)
    epochs = options.epochs or (15 if options.short else 6)
    rate = nn.Cosine(5e-3, epochs=epochs, warmup=min(0.5, epochs / 2))
    model.compile("cross_entropy", nn.Adam(lr=rate), clip_norm=1.0)
    started = time.perf_counter()
    model.fit(X, y, epochs=epochs, batch_size=32, validation_data=(X_last, y_last))
    seconds = time.perf_counter() - started

    perplexity = math.exp(model.evaluate(X_last, y_last)["loss"])
    shares = np.bincount(codes[:cut], minlength=len(alphabet)) + 1  # no character is impossible
    plain = math.exp(-np.log(shares / shares.sum())[y_last].mean())
    print(f"\nperplexity {perplexity:.2f} after {seconds:.0f} s of training")
    print(f"{plain:.2f} is that of who knows only how frequent each character is\n")

    prompt = np.searchsorted(alphabet, list(options.prompt))
    written = sample(model, prompt, options.length, options.temperature, np.random.default_rng(0))
    writing = "".join(alphabet[written])
    print(writing)
    if options.save:
        model.save(options.save)
    return perplexity, writing


def network(characters: int, size: int) -> nn.Sequential:
    """Return a network that gives for each character of a sequence a number for each that may come next."""
    return nn.Sequential(
        nn.Embedding(characters, 64),
        nn.LSTM(64, size, return_sequences=True),
        nn.Linear(size, characters),
    )


def windows(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cut a text into windows, (n, WINDOW), and return with each the characters that follow its own."""
    X, after = nn.datasets.windows(codes, WINDOW, step=WINDOW)
    return X[:, :, 0], np.hstack([X[:, 1:, 0], after])


def sample(
    model: nn.Sequential, prompt: np.ndarray, length: int, temperature: float, rng: np.random.Generator
) -> np.ndarray:
    """Return the codes of `prompt` and `length` more, each drawn from what the network says after those before."""
    predictor, state, codes = model.compile_inference(), None, list(prompt)
    for code in codes:
        says, state = predictor.step(code, state)
    for _ in range(length):
        probabilities = np.exp((says - says.max()) / temperature, dtype=float)
        codes.append(rng.choice(len(says), p=probabilities / probabilities.sum()))
        says, state = predictor.step(codes[-1], state)
    return np.array(codes)


if __name__ == "__main__":
    main()

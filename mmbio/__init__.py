"""mmbio: a benchmark for multimodal biometrics, from samples to the papers' tables."""

__version__ = "0.1.0"

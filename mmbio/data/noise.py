"""Sample noise as the multitask paper adds it ("Unimodal and Multimodal Model").

Images are blackened at their native resolution, after augmentation and before resizing; a black
pixel is black in all channels (our readings).
"""

import numpy as np


def gaussian(beats: np.ndarray, sigma: float, rng: np.random.Generator) -> np.ndarray:
    """Add zero-mean Gaussian noise of standard deviation `sigma` to min-max scaled beats, any shape."""
    noise = rng.standard_normal(beats.shape, dtype=np.float32)
    return np.asarray(beats + np.float32(sigma) * noise, dtype=np.float32)


def blacken(image: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Turn exactly round(share * H * W) pixels of an image (H, W, 3) uint8 black."""
    height, width = image.shape[:2]
    n = round(share * height * width)
    black = rng.permutation(height * width)[:n]
    noisy = image.copy()
    noisy.reshape(height * width, -1)[black] = 0
    return noisy

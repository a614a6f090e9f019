"""How many images a second does ResNet-50 turn into vectors, end to end from JPEG files at 224 x 224?

    python -m benchmarks.embeddings

mmbio's side is what `extract` runs, without writing: it opens, checks, decodes, augments, resizes and embeds. The peers
open and resize the same files with a DataLoader, without augmentation: the usual torchvision loop in float32, and the
same loop around ONNX Runtime and OpenVINO. Networks are built before the clock starts. The limit is the machine's rate
of matrix products in the same precision, with ResNet-50's 4.09 billion multiplications an image.
"""

import os
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms
from torchvision.models import resnet50

from benchmarks.harness import Limit, Measurement, Side, main
from mmbio.data.manifest import Manifest
from mmbio.embed.backbones.resnet50 import DTYPES, MEAN, SIZE, STD
from mmbio.embed.cores import all_cores
from mmbio.embed.extract import Job, vectors_of
from mmbio.embed.settings import Settings, precision_of, threads
from mmbio.files import bytes_hash

N: Final = {"cpu": 384, "cuda": 8192}  # images
N_EAGER: Final = {"cpu": 64, "cuda": 2048}  # of the slow loop
N_ORT: Final = 96
BATCH: Final = 32  # of the peers
FLOPS: Final = 2 * 4.09e9  # an image
Embed = Callable[[Tensor], Any]


class Files(Dataset[Tensor]):
    """JPEG files as a user's Dataset opens them."""

    def __init__(self, paths: list[Path]) -> None:
        self.paths = paths
        self.transform = transforms.Compose(
            [transforms.Resize((SIZE, SIZE)), transforms.ToTensor(), transforms.Normalize(MEAN, STD)]
        )

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Tensor:
        pixels: Tensor = self.transform(Image.open(self.paths[index]).convert("RGB"))
        return pixels


def drawn(folder: Path, n: int) -> list[Path]:
    """Pictures of 250 x 250 with coarse and fine structure, as JPEG files."""
    paths = []
    for k in range(n):
        rng = np.random.default_rng([0, k])
        coarse = Image.fromarray(rng.integers(0, 256, (12, 12, 3), dtype=np.uint8)).resize((250, 250))
        pixels = np.asarray(coarse) + rng.normal(0, 6, (250, 250, 3))
        paths.append(folder / f"{k}.jpg")
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(paths[-1], quality=90)
    return paths


def manifest(folder: Path, paths: list[Path]) -> Manifest:
    """The files as the faces of a manifest, an item each."""
    rows = [("face", path.stem, "s", k, path.name, bytes_hash(path.read_bytes())) for k, path in enumerate(paths)]
    samples = pd.DataFrame(rows, columns=["modality", "sample", "subject", "order", "path", "sha"])
    items = pd.DataFrame({"item": samples["order"], "face_sample": samples["sample"], "face_draw": "0"})
    source = {"sets": ["s"], "folder": str(folder), "synthetic": True}
    info = {"protocol": "multitask", "modalities": ["face"], "seed": 0, "sources": {"face": source}}
    return Manifest(folder, info, pd.DataFrame(), samples, items)


def mmbio(files: Manifest, precision: str, device: str) -> Callable[[], None]:
    """What `extract` runs: files to vectors."""
    job = Job(files, "face", None, Settings(files.folder, "random", precision, device))
    embed, shards = job.extractor.open(), range(-(-len(files.items) // job.extractor.batch))

    def run() -> None:
        with all_cores():
            for _ in vectors_of(job, shards, embed):
                pass

    return run


def network_alone(n: int, files: Manifest, precision: str) -> Limit:
    """Mmbio's network on pixels that are there already."""
    pixels = np.random.default_rng(0).integers(0, 256, (BATCH, SIZE, SIZE, 3), dtype=np.uint8)
    embed = Job(files, "face", None, Settings(files.folder, "random", precision, "cpu")).extractor.open()

    def rate() -> float:
        with all_cores():
            began = time.perf_counter()
            for _ in range(n // BATCH):
                embed(list(pixels))
            return n / (time.perf_counter() - began)

    return Limit("the network on pixels in memory", rate)


def loop(paths: list[Path], embed: Embed, cores: int) -> Callable[[], None]:
    """The usual loop over a DataLoader, on torch's own number of threads."""
    loader = DataLoader(Files(paths), BATCH)

    def run() -> None:
        torch.set_num_threads(cores)
        with torch.inference_mode():
            for pixels in loader:
                embed(pixels)

    return run


def plain() -> nn.Module:
    """Torchvision's network up to its average pool."""
    network: nn.Module = resnet50(weights=None).eval()
    network.fc = nn.Identity()
    return network


def of_onnxruntime(folder: Path) -> Embed:
    """ONNX Runtime with its defaults."""
    import onnxruntime

    file = str(folder / "resnet50.onnx")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(plain(), (torch.zeros(BATCH, 3, SIZE, SIZE),), file, input_names=["x"], dynamo=False)
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    return lambda pixels: session.run(None, {"x": pixels.numpy()})


def of_openvino(options: dict[str, str]) -> tuple[str, Embed]:
    """OpenVINO, and the precision that it says it computes in."""
    import openvino

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = openvino.convert_model(plain(), example_input=torch.zeros(BATCH, 3, SIZE, SIZE))
    compiled = openvino.compile_model(model, "CPU", options)
    told = compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
    return {"bf16": "bf16", "f32": "fp32"}.get(told, told), lambda pixels: compiled(pixels.numpy())


def matmul(precision: str, cores: int) -> float:
    """Images a second that this machine's matrix products allow: the fastest of three sizes."""
    torch.set_num_threads(cores)
    rates = []
    for n, times in ((1024, 16), (2048, 4), (4096, 1)):
        a, b = (torch.ones(n, n, dtype=DTYPES[precision]) for _ in range(2))
        torch.mm(a, b)
        began = time.perf_counter()
        for _ in range(times):
            torch.mm(a, b)
        rates.append(2 * n**3 * times / (time.perf_counter() - began))
    return max(rates) / FLOPS


def measurements() -> Iterator[Measurement]:
    """In the precision that suits this machine, in float32, and what decoding takes."""
    cores = torch.get_num_threads()
    os.environ.setdefault("MMBIO_THREADS", str(cores))
    native = precision_of("auto", "cpu")
    absent = [name for name in ("onnxruntime", "openvino") if find_spec(name) is None]
    notes = [f"not beside {name}: not installed, pip install -e '.[bench]'" for name in absent]
    if not torch.cuda.is_available():
        notes.append("on an accelerator: not measured, no accelerator here")
    with tempfile.TemporaryDirectory() as folder:
        paths = drawn(Path(folder), N["cpu"])
        files = manifest(Path(folder), paths)
        run = mmbio(files, native, "cpu")
        eager = Side("torchvision loop, fp32", loop(paths[: N_EAGER["cpu"]], plain(), cores), N_EAGER["cpu"])
        ort = [] if "onnxruntime" in absent else [of_onnxruntime(Path(folder))]
        peers = [Side("ONNX Runtime, fp32", loop(paths[:N_ORT], embed, cores), N_ORT) for embed in ort]
        vino = [] if "openvino" in absent else [of_openvino({})]
        by_itself = [Side(f"OpenVINO, {told}", loop(paths, embed, cores), len(paths)) for told, embed in vino]
        yield Measurement(
            what=f"ResNet-50 embeddings from JPEG files, 224 x 224, {native} on {threads()} threads",
            unit="images",
            ours=Side("mmbio", run, len(paths)),
            peers=[eager, *peers, *by_itself],
            aims=[7.0 if native == "bf16" else 2.0],
            limit=Limit(f"torch.mm in {native}", lambda: matmul(native, cores)),
            aim_share=0.75,
            note="; ".join(notes),
        )
        yield Measurement(
            what="the same, beside the network alone",
            unit="images",
            ours=Side("mmbio", run, len(paths)),
            limit=network_alone(N["cpu"], files, native),
            note="what the network does not reach is what decoding, augmenting and resizing cost on the same cores",
        )
        if native != "fp32":
            few = manifest(Path(folder), paths[:N_ORT])
            yield Measurement(
                what="the same in fp32, as where bf16 is not native",
                unit="images",
                ours=Side("mmbio", mmbio(few, "fp32", "cpu"), N_ORT),
                peers=[eager, *peers],
                aims=[2.0],
                limit=Limit("torch.mm in fp32", lambda: matmul("fp32", cores)),
            )
        if torch.cuda.is_available():
            yield on_gpu(Path(folder))


def on_gpu(folder: Path) -> Measurement:
    """The same on an accelerator."""
    paths = drawn(folder, N["cuda"])
    network = plain().cuda()
    of_loop = paths[: N_EAGER["cuda"]]
    return Measurement(
        what=f"the same on {torch.cuda.get_device_name()}",
        unit="images",
        ours=Side("mmbio", mmbio(manifest(folder, paths), "auto", "cuda"), len(paths)),
        peers=[Side("torchvision loop, fp32", loop(of_loop, lambda x: network(x.cuda()).cpu(), 1), len(of_loop))],
        note="aim: 10,000 images/s",
    )


if __name__ == "__main__":
    main(measurements)

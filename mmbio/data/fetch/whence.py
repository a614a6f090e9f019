"""Whence: how a set is fetched, and whether TLS guards the way."""

from dataclasses import dataclass, field, replace

from mmbio.data.fetch.addresses import host_without_tls, mirror_of
from mmbio.data.fetch.dataset import Dataset
from mmbio.data.fetch.transfer import Wire


@dataclass(frozen=True)
class Options:
    """How a set is fetched."""

    mirror: str | None = None
    jobs: int = 4
    keep_archives: bool = False
    wire: Wire = field(default_factory=Wire)

    @property
    def base(self) -> str | None:
        """The mirror's address, checked; None for the sets' own."""
        return None if self.mirror is None else mirror_of(self.mirror)


def wire_to(dataset: Dataset, options: Options) -> Wire:
    """The wire with the one host that may be asked without TLS, since its own address has none."""
    return options.wire if options.base else replace(options.wire, plain=host_without_tls(dataset.base))


def without_tls(dataset: Dataset, options: Options) -> bool:
    """Whether a set comes by plain http."""
    return (options.base or dataset.base).startswith("http:")

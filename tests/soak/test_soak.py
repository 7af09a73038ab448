"""One minute of `make soak`: good clients notice nothing, and in the end the server takes no more than before."""

from pathlib import Path

from tests.soak.faults import EVERY
from tests.soak.nuisances import DRIPPING
from tests.soak.plot import svg
from tests.soak.run import soak
from tests.soak.succession import Succession
from tests.soak.visits import visits
from tests.threats.conftest import Figure

SECONDS = 60.0


async def test_no_good_request_fails_in_the_middle_of_everything(tmp_path: Path, figure: Figure) -> None:
    results = await soak(tmp_path, SECONDS, lambda _second, _what: None)
    assert results.complaints() == [], results.summary()
    assert len(results.good) == len(visits(Succession(0.0)))
    assert results.nuisances.keys() > {"malformed, refused", "bad handshakes", *(f"{name}, ended" for name in DRIPPING)}
    for event, every in EVERY.items():
        assert results.happened(event) >= 0.5 * SECONDS / every
    assert svg(results).count("<polyline") == 3
    for number, line in enumerate(results.summary().splitlines()):
        figure("soak", f"{number + 1}", line.strip())

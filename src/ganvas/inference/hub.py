"""Networks on the hub (huggingface.co, or what HF_ENDPOINT names): fetched and pushed as folders of `saving`."""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ganvas.core.download import reachable
from ganvas.core.errors import DataError, GanvasError, UsageError
from ganvas.core.places import is_offline
from ganvas.core.version import VERSION
from ganvas.inference.generator import Generator
from ganvas.inference.saving import MODEL, save
from ganvas.inference.translator import Translator

_HUB = "https://huggingface.co"
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def is_name(what: str) -> bool:
    """Whether it could be a generator's name on the hub: "user/name"."""
    return _NAME.fullmatch(what) is not None


def fetch(name: str) -> Path:
    """The file of weights of "user/name", downloaded unless its newest is here already.

    Raises UsageError without the extra `hub`, DataError if there is no such generator, or no way to the hub.
    """
    hub = _needed(f"There is no file or folder {name} here; to look for it on the hub")
    advice = f"Give a path to load from this machine, or download {MODEL} by hand"
    with _told(name, advice, f"There is no file or folder {name} here, and "):
        return Path(
            hub.hf_hub_download(
                name,
                MODEL,
                library_name="ganvas",
                library_version=VERSION,
                endpoint=_endpoint(),
                local_files_only=is_offline() or not reachable(_endpoint() or _HUB),  # its client would try for long
            )
        )


def push(
    network: Generator | Translator,
    name: str,
    *,
    precision: str = "float32",
    licence: str | None = None,
    private: bool = False,
) -> str:
    """Put a generator or a translator on the hub as "user/name", made if it is not there, and return its address.

    precision, licence: as for `saving.save`. private: of a new one, for nobody else's eyes. Who pushes is known by
    HF_TOKEN or `hf auth login`. Raises UsageError for a name that cannot be one and without the extra `hub`, DataError
    if the hub does not take it or there is no way to it.
    """
    if not is_name(name):
        raise UsageError(f"{name!r} is no name on the hub: write it as user/name")
    hub = _needed("To put it on the hub")
    if is_offline():
        raise UsageError("GANVAS_OFFLINE is set, so nothing is pushed: unset it")
    with tempfile.TemporaryDirectory(prefix="ganvas-push-") as above:
        own = Path(above) / name.split("/")[1]
        folder = save(network, own, precision=precision, licence=licence, name=name)
        with _told(name, "Log in with `hf auth login`, or set HF_TOKEN to a token that may write"):
            api = hub.HfApi(endpoint=_endpoint(), library_name="ganvas", library_version=VERSION)
            address = str(api.create_repo(name, private=private, exist_ok=True))
            if private and not api.repo_info(name).private:
                raise UsageError(
                    f"{name} is there already for anyone to see, so it cannot be --private: use a new name"
                )
            api.upload_folder(
                repo_id=name, folder_path=folder, commit_message=f"A {network.card['kind']} by Ganvas {VERSION}"
            )
    return address


def _needed(what_for: str) -> Any:
    try:
        import huggingface_hub  # of the extra, and slow to import
    except ImportError:
        raise UsageError(f"{what_for}: pip install 'ganvas[hub]'") from None
    return huggingface_hub


def _endpoint() -> str | None:
    return os.environ.get("HF_ENDPOINT")


@contextmanager
def _told(name: str, advice: str, lead: str = "") -> Iterator[None]:
    """Turn what the hub's client raises into what a user can do about it. lead: what the sentences begin with."""
    from huggingface_hub import errors

    where = _endpoint() or _HUB
    try:
        yield
    except GanvasError:
        raise
    except (errors.RepositoryNotFoundError, errors.GatedRepoError):
        raise DataError(
            f"{lead}{where} has no {name} for you: see whether the name is right; if it is private, log in with "
            "`hf auth login`"
        ) from None
    except errors.LocalEntryNotFoundError:
        raise DataError(f"{lead}{where} cannot be reached for {name}. {advice}") from None
    except errors.EntryNotFoundError:
        raise DataError(f"{lead}{where}/{name} is not a network of Ganvas: it has no {MODEL}") from None
    except Exception as error:  # whichever client of HTTP lies below has errors of its own
        first = str(error).strip().split("\n")[0]
        raise DataError(f"{lead}{where}/{name}: {first or type(error).__name__}. {advice}") from None

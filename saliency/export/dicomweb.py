"""A PACS behind DICOMweb (PS3.18): search, read, store."""

import io
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from typing import Any, Final, final

import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError

from saliency.errors import DicomError, InputError, MissingExtraError
from saliency.export.matching import quiet

try:
    import requests
    from dicomweb_client.api import DICOMwebClient
except ImportError as missing:
    _MSG = "Expected dicomweb-client, found none: pip install 'dicom-saliency[pacs]'."
    raise MissingExtraError(_MSG) from missing

#: Where what opens the door is looked for, so that it need not stand in a script.
TOKEN: Final = "SALIENCY_DICOMWEB_TOKEN"  # noqa: S105 - the name of a variable
USER: Final = "SALIENCY_DICOMWEB_USER"
PASSWORD: Final = "SALIENCY_DICOMWEB_PASSWORD"  # noqa: S105 - the name of a variable
CERTIFICATE: Final = "SALIENCY_DICOMWEB_CERTIFICATE"
#: Any transfer syntax as it is stored: nothing is compressed again on the way.
_AS_STORED: Final = (("application/dicom", "*"),)
_TIMEOUT: Final = 60
#: What a server answers where it does not take an instance (PS3.18 10.5.3).
_REFUSED: Final = frozenset({"400", "403", "409", "413", "415", "422"})


@final
@dataclass(frozen=True)
class Instance:
    """One instance in the archive.

    Parameters
    ----------
    study, series, uid
        Study, Series and SOP Instance UID.
    sop_class
        SOP Class UID, "" where the server does not tell.
    modality
        "" where the server does not tell.
    """

    study: str
    series: str
    uid: str
    sop_class: str = ""
    modality: str = ""


@final
@dataclass(frozen=True)
class Refusal:
    """An instance that the server did not take.

    Parameters
    ----------
    index
        Of the dataset handed over, from 0.
    uid
        SOP Instance UID.
    reason
        What the server said: its status, and Failure Reason (0008,1197) where it gave one.
    """

    index: int
    uid: str
    reason: str


@final
class Archive:
    """A DICOMweb server.

    Parameters
    ----------
    url
        Of the service: ``"https://host/dicom-web"``.
    token
        Bearer token; else ``SALIENCY_DICOMWEB_TOKEN`` of the environment.
    user, password
        For basic authentication; else ``SALIENCY_DICOMWEB_USER`` and ``..._PASSWORD``.
    certificate
        File of the client's certificate with its key; else ``SALIENCY_DICOMWEB_CERTIFICATE``.
    authority
        File of the certificates that the server's is checked against; None: the usual ones.
    attempts
        How often a request is sent where the server is busy (429, 408, 503, 504), with a pause
        that doubles.

    Raises
    ------
    InputError
        The URL is none, or there is a token and a user.
    MissingExtraError
        dicomweb-client is not installed (extra ``pacs``).
    """

    def __init__(  # noqa: PLR0913 - every way in
        self,
        url: str,
        *,
        token: str | None = None,
        user: str | None = None,
        password: str | None = None,
        certificate: str | PathLike[str] | None = None,
        authority: str | PathLike[str] | None = None,
        attempts: int = 4,
    ) -> None:
        if not url.startswith(("http://", "https://")) or "/studies" in url:
            msg = "Archive: expected the URL of a DICOMweb service, as https://host/dicom-web."
            raise InputError(msg)
        session = _session(
            token or os.environ.get(TOKEN),
            user or os.environ.get(USER),
            password or os.environ.get(PASSWORD),
        )
        pair = certificate or os.environ.get(CERTIFICATE)
        session.cert = None if pair is None else os.fspath(pair)
        session.verify = True if authority is None else os.fspath(authority)
        self._client = DICOMwebClient(
            url.rstrip("/"), session=session, timeout=_TIMEOUT
        )
        self._client.set_http_retry_params(retry=attempts > 1, max_attempts=attempts)

    def search(
        self, *, study: str | None = None, series: str | None = None, **filters: str
    ) -> tuple[Instance, ...]:
        """Return the instances that fit.

        Parameters
        ----------
        study, series
            UIDs.
        filters
            Keywords and values, as ``Modality="CT"``, ``StudyDate="20260101-"``.

        Raises
        ------
        DicomError
            The server refuses.
        """
        with _told("search"):
            found = self._client.search_for_instances(
                study, series, search_filters=filters or None, get_remaining=True
            )
        return tuple(
            Instance(
                _value(each, "0020000D") or study or "",
                _value(each, "0020000E") or series or "",
                _value(each, "00080018"),
                _value(each, "00080016"),
                _value(each, "00080060"),
            )
            for each in found
        )

    def read(
        self, instances: Instance | Iterable[Instance] | None = None, **search: str
    ) -> Iterator[Dataset]:
        """Fetch instances one after the other, as they are stored; each is a source for any verb.

        Parameters
        ----------
        instances
            What :meth:`search` found; None: what it finds with the other arguments.

        Raises
        ------
        DicomError
            The server refuses, or sends what is no DICOM.
        """
        if instances is None:
            instances = self.search(**search)
        for each in (instances,) if isinstance(instances, Instance) else instances:
            with _told("read"), quiet():
                found = self._client.retrieve_instance(
                    each.study, each.series, each.uid, media_types=_AS_STORED
                )
            yield found

    def store(self, datasets: Iterable[Dataset]) -> tuple[Refusal, ...]:
        """Store datasets, one request each; return those that the server did not take.

        Raises
        ------
        DicomError
            The server cannot be reached, or refuses whoever asks (401).
        """
        refused = (self._store(index, each) for index, each in enumerate(datasets))
        return tuple(each for each in refused if each is not None)

    def _store(self, index: int, dataset: Dataset) -> Refusal | None:
        uid = str(dataset.SOPInstanceUID)
        try:
            with _told("store"), quiet():
                answer = self._client.store_instances([_as_file(dataset)])
        except DicomError as error:
            status = error.reason.partition(" ")[0]
            if status not in _REFUSED:
                raise
            return Refusal(index, uid, error.reason)
        failed = answer.get("FailedSOPSequence") or []
        reasons = [f"{item.get('FailureReason', 0):#06x}" for item in failed]
        return (
            Refusal(index, uid, f"Failure Reason {', '.join(reasons)}")
            if reasons
            else None
        )


@contextmanager
def _told(doing: str) -> Iterator[None]:
    """Turn what goes wrong into one sentence without a URL, which may name a patient."""
    try:
        yield
    except requests.HTTPError as error:
        answer = error.response
        said = (
            "no status" if answer is None else f"{answer.status_code} {answer.reason}"
        )
        msg = f"Expected the server to {doing}, it answered {said}."
        raise DicomError(msg, reason=said) from None
    except InvalidDicomError:
        msg = "Expected DICOM files from the server, got something else."
        raise DicomError(msg, reason="not-dicom") from None
    except (requests.RequestException, OSError) as error:
        msg = f"Expected a DICOMweb server to {doing}, got {type(error).__name__}."
        raise DicomError(msg, reason="server") from None


@final
class _Bearer(requests.auth.AuthBase):
    """A token that no repr shows."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: Any) -> Any:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _session(
    token: str | None, user: str | None, password: str | None
) -> requests.Session:
    if token and user:
        msg = "Archive: expected a token or a user, got both."
        raise InputError(msg)
    session = requests.Session()
    if token:
        session.auth = _Bearer(token)  # as a header alone a .netrc would replace it
    if user:
        session.auth = (user, password or "")
    return session


def _as_file(dataset: Dataset) -> Dataset:
    """Return a dataset as a file of PS3.10 gives it back: the client itself writes no preamble."""
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    file.seek(0)
    return pydicom.dcmread(file)


def _value(found: dict[str, Any], tag: str) -> str:
    """Return the first value of an attribute in DICOM JSON (PS3.18 F)."""
    values = found.get(tag, {}).get("Value") or [""]
    return str(values[0])

"""A PACS behind DICOMweb (PS3.18): search, read, store."""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from os import PathLike
from typing import Final, final
from urllib.parse import urlsplit

import pydicom
from pydicom.dataset import Dataset

from saliency.dicom.file.dicomweb import (
    CERTIFICATE,
    PASSWORD,
    TOKEN,
    USER,
    WebPlace,
    asked,
    client_of,
    door,
    failure_words,
    retrieved,
    search,
    web_place_of,
)
from saliency.dicom.file.guard import without_warnings
from saliency.dicom.file.remote import check_no_password
from saliency.dicom.kind import kind_of_instance
from saliency.errors import DicomError, InputError

__all__ = [
    "CERTIFICATE",
    "PASSWORD",
    "TOKEN",
    "USER",
    "Archive",
    "Instance",
    "Refusal",
    "archive_at",
    "check_service",
    "service_of",
]

#: What a server answers where it does not take an instance (PS3.18 10.5.3).
_REFUSED: Final = frozenset({"400", "403", "409", "413", "415", "422"})


def check_service(url: str, option: str) -> None:
    """Refuse what is no service of DICOMweb; ``option`` begins the message.

    Raises
    ------
    InputError
        It is another URL, or holds a password or a query.
    """
    check_no_password(url)
    place = urlsplit(url)
    is_service = place.scheme in ("http", "https") and "/studies" not in place.path
    if not (is_service and place.netloc) or place.query or place.fragment:
        msg = f"{option}: expected the URL of a DICOMweb service, as https://host/dicom-web."
        raise InputError(msg)


def service_of(url: str) -> str | None:
    """Return the service that a study, series or instance is read from; None for another URL."""
    place = web_place_of(url)
    return None if place is None else place.service


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
    kind
        ``"image"``; ``"no pixels"``: a report, a document; ``"result"``: what this library made.
    """

    study: str
    series: str
    uid: str
    sop_class: str = ""
    modality: str = ""
    kind: str = "image"


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
        File of the certificates that the server's is checked against; else
        ``SALIENCY_DICOMWEB_AUTHORITY``, else the usual ones.
    attempts
        How often a request is sent where the server is busy (429, 408, 503, 504), with pauses
        that double.

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
        check_service(url, "Archive")
        self._url = url.rstrip("/")
        self._client = client_of(
            self._url,
            token=token,
            user=user,
            password=password,
            certificate=certificate,
            authority=authority,
            attempts=attempts,
        )

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
        return tuple(
            Instance(
                each.place.study,
                each.place.series,
                each.place.instance,
                each.sop_class,
                each.modality,
                kind_of_instance(each),
            )
            for each in search(self._client, self._url, study, series, filters)
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
            place = WebPlace(self._url, each.study, each.series, each.uid)
            yield retrieved(self._client, place)

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
        whole = [_as_file(dataset)]
        try:
            answer = asked("store", partial(self._client.store_instances, whole))
        except DicomError as error:
            status = error.reason[:3]
            if status not in _REFUSED:
                raise
            return Refusal(index, uid, error.reason)
        failed = answer.get("FailedSOPSequence") or []
        if not failed:
            return None
        reasons = [each.get("FailureReason") for each in failed]
        said = [failure_words(int(each)) for each in reasons if each]
        return Refusal(index, uid, ", ".join(said) or "no reason given")


def archive_at(service: str) -> Archive:
    """Return the client of a service, which keeps its connection from one result to the next."""
    return _archive_at(service, door())


@lru_cache(2)
def _archive_at(
    service: str,
    opened_with: tuple[str | None, ...],  # noqa: ARG001 - another door, another client
) -> Archive:
    return Archive(service)


def _as_file(dataset: Dataset) -> Dataset:
    """Return a dataset as a file of PS3.10 gives it back: the client itself writes no preamble."""
    file = io.BytesIO()
    with without_warnings():
        dataset.save_as(file, enforce_file_format=True)
        file.seek(0)
        return pydicom.dcmread(file)

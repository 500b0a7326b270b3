"""Studies, series and instances behind DICOMweb (PS3.18), by their URLs.

The one place where a server is asked: who asks comes from arguments or the environment, and neither
a URL nor what opens the door is ever in a message.
"""

import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from http import HTTPStatus
from os import PathLike
from threading import Lock
from typing import Any, Final, TypeVar, final

from pydicom.dataset import Dataset

from saliency.dicom.file.guard import without_warnings
from saliency.errors import DicomError, InputError, MissingExtraError, SaliencyError

_Answer = TypeVar("_Answer")

#: Where what opens the door is looked for, so that it need not stand in a script.
TOKEN: Final = "SALIENCY_DICOMWEB_TOKEN"  # noqa: S105 - the name of a variable
USER: Final = "SALIENCY_DICOMWEB_USER"
PASSWORD: Final = "SALIENCY_DICOMWEB_PASSWORD"  # noqa: S105 - the name of a variable
CERTIFICATE: Final = "SALIENCY_DICOMWEB_CERTIFICATE"
AUTHORITY: Final = "SALIENCY_DICOMWEB_AUTHORITY"
#: Any transfer syntax as it is stored: nothing is compressed again on the way.
_AS_STORED: Final = (("application/dicom", "*"),)
_TIMEOUT: Final = 60
_ATTEMPTS: Final = 4
#: Instances that wait for a second look: several frames of one, or its header for an export.
_KEPT: Final = 2
#: What a search is asked for beyond what every answer holds (PS3.18 10.6.3).
_FIELDS: Final = (
    "ManufacturerModelName",
    "SOPClassUID",
    "Rows",
    "NumberOfFrames",
    "Modality",
)
_UID: Final = r"([\d.]+)"
_URL: Final = re.compile(
    rf"(https?://.+?)/studies/{_UID}(?:/series/{_UID}(?:/instances/{_UID})?)?/?"
)
#: A file with an ending behind any web server may lie in a folder "studies", too. What follows "?"
#: is no ending: a token may have dots.
_LIKE_ONE: Final = re.compile(
    r"https?://.+/studies/(?![^?#]*\.[a-zA-Z]\w*(?:[?#].*)?\Z)."
)
#: Statuses of a server that may answer later.
_BUSY: Final = (408, 429, 503, 504)
#: What the client reads of an answer to what was stored (PS3.18 10.5.3).
_SAID_OF_STORED: Final = frozenset(
    f"application/{name}" for name in ("dicom+json", "json", "dicom+xml", "xml")
)
#: What may be wrong, by the class of an error of requests.
_HINTS: Final = {
    "ConnectionError": "is the address right, and is the server up?",
    "ConnectTimeout": f"no connection within {_TIMEOUT} s",
    "ReadTimeout": f"no answer within {_TIMEOUT} s",
    "SSLError": f"{AUTHORITY} names the file of certificates to trust, {CERTIFICATE} your own",
    "JSONDecodeError": "an answer that is not JSON: perhaps a page to log in at",
}


@final
@dataclass(frozen=True)
class WebPlace:
    """What a URL of DICOMweb names.

    Parameters
    ----------
    service
        URL of the service.
    study, series, instance
        UIDs; ``""`` for series and instance where all are meant.
    """

    service: str
    study: str
    series: str = ""
    instance: str = ""

    @property
    def url(self) -> str:
        """The URL again."""
        parts = {
            "studies": self.study,
            "series": self.series,
            "instances": self.instance,
        }
        return self.service + "".join(
            f"/{name}/{uid}" for name, uid in parts.items() if uid
        )


@final
@dataclass(frozen=True)
class FoundInstance:
    """An instance that a search found, by what the server tells of it.

    Parameters
    ----------
    place
        Its study, series and UID.
    sop_class, modality, model_name
        ``""`` where the server does not tell.
    has_rows
        It has Rows (0028,0010): it is an image.
    number
        Instance Number (0020,0013), 0 where the server does not tell.
    frames
        How many it has; 0 where the server does not tell. Of an image without Number of Frames
        (0028,0008) it is 1: a search tells it of those with several (PS3.18 10.6.3).
    """

    place: WebPlace
    sop_class: str = ""
    modality: str = ""
    model_name: str = ""
    has_rows: bool = False
    number: int = 0
    frames: int = 0


def web_place_of(source: object) -> WebPlace | None:
    """Return what a URL of DICOMweb names; None for any other source.

    Raises
    ------
    InputError
        It begins as such a URL, and names none of study, series and instance.
    """
    if not isinstance(source, str) or not _LIKE_ONE.match(source):
        return None
    found = _URL.fullmatch(source)
    if found is None:
        msg = (
            "Expected the DICOMweb URL of a study, a series or an instance: "
            ".../studies/UID/series/UID/instances/UID, without what else may follow. A token "
            f"belongs in {TOKEN}."
        )
        raise InputError(msg)
    service, study, series, instance = found.groups()
    return WebPlace(service, study, series or "", instance or "")


def client_of(  # noqa: PLR0913 - every way in
    service: str,
    *,
    token: str | None = None,
    user: str | None = None,
    password: str | None = None,
    certificate: str | PathLike[str] | None = None,
    authority: str | PathLike[str] | None = None,
    attempts: int = _ATTEMPTS,
) -> Any:
    """Return dicomweb-client's client; what is not given comes from the environment.

    Raises
    ------
    InputError
        There is a token and a user.
    MissingExtraError
        dicomweb-client is not installed (extra ``pacs``).
    """
    requests, client = _libraries()
    opener, who = token or os.environ.get(TOKEN), user or os.environ.get(USER)
    if opener and who:
        msg = "Archive: expected a token or a user, got both."
        raise InputError(msg)
    session = requests.Session()
    if opener:
        session.auth = _Bearer(opener)  # as a header alone a .netrc would replace it
    if who:
        session.auth = (who, password or os.environ.get(PASSWORD) or "")
    pair = certificate or os.environ.get(CERTIFICATE)
    session.cert = None if pair is None else os.fspath(pair)
    trusted = authority or os.environ.get(AUTHORITY)
    if trusted is not None:
        # as session.verify alone REQUESTS_CA_BUNDLE of the environment would replace it
        session.request = partial(session.request, verify=os.fspath(trusted))
    session.hooks["response"].append(_checked_answer)
    # The client's own retries would also repeat what fails for good, as a certificate.
    busy = requests.adapters.Retry(
        total=max(attempts, 1) - 1,
        connect=0,
        read=False,
        other=0,
        status_forcelist=_BUSY,
        allowed_methods=None,
        backoff_factor=1,
        raise_on_status=False,
        respect_retry_after_header=False,
    )
    for scheme in ("https://", "http://"):
        session.mount(scheme, requests.adapters.HTTPAdapter(max_retries=busy))
    made = client(service.rstrip("/"), session=session, timeout=_TIMEOUT)
    made.set_http_retry_params(retry=False)
    # A body that is sent in chunks is gone when a busy server is asked again: it would get none.
    made.set_chunk_size(sys.maxsize)
    return made


def _checked_answer(answer: Any, **_: object) -> None:
    """Look at an answer before requests and the client do.

    Raises
    ------
    HTTPError
        What is to be stored would go elsewhere: to another server, or nowhere, as a GET.
    ValueError
        The answer does not say what became of it.
    """
    answer.headers.pop("Warning", None)  # the client logs it: it may quote a patient
    if answer.request.method != "POST":
        return
    if 300 <= answer.status_code < 400:  # RFC 9110 15.4: redirected
        raise _libraries()[0].HTTPError(response=answer)
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if answer.ok and answer.content and kind not in _SAID_OF_STORED:
        msg = "an answer of another type"
        raise ValueError(msg)
    answer.headers["Content-Type"] = kind  # the client compares all of it


def search(
    client: Any,
    service: str,
    study: str | None,
    series: str | None,
    filters: dict[str, str] | None = None,
) -> Iterator[FoundInstance]:
    """Yield the instances that fit, each once, in the server's order.

    Raises
    ------
    DicomError
        The server refuses.
    """
    seen: set[WebPlace] = set()
    offset = 0
    place = WebPlace(service, study or "", series or "")
    while page := asked("search", partial(_page, client, place, filters, offset)):
        new = [each for each in page if each.place not in seen]
        if not new:  # a server that knows no offset sends the same page for ever
            return
        yield from new
        seen.update(each.place for each in new)
        offset += len(page)


def _page(
    client: Any, place: WebPlace, filters: dict[str, str] | None, offset: int
) -> list[FoundInstance]:
    """Return what a server finds from the ``offset``-th instance on, as many as it likes."""
    answer = client.search_for_instances(
        place.study or None,
        place.series or None,
        fields=_FIELDS,
        search_filters=filters or None,
        offset=offset,
    )
    return [_instance_of(place, each) for each in answer]


def _instance_of(within: WebPlace, told: dict[str, Any]) -> FoundInstance:
    place = WebPlace(
        within.service,
        _value(told, "0020000D") or within.study,
        _value(told, "0020000E") or within.series,
        _value(told, "00080018"),
    )
    has_rows = bool(_value(told, "00280010"))
    return FoundInstance(
        place,
        _value(told, "00080016"),
        _value(told, "00080060"),
        _value(told, "00081090"),
        has_rows,
        _whole_number(told, "00200013"),
        _whole_number(told, "00280008") or int(has_rows),
    )


def instances_at(place: WebPlace) -> Iterator[FoundInstance]:
    """Yield the instances of a study or series, series by series, by number.

    Raises
    ------
    DicomError
        The server refuses.
    """
    client = _usual_client(place.service, door())
    found = search(client, place.service, place.study, place.series or None)
    yield from sorted(
        found, key=lambda each: (each.place.series, each.number, each.place.instance)
    )


def frames_told(place: WebPlace) -> int:
    """Return how many frames an instance has by the word of its server; 0 where it has none."""
    client = _usual_client(place.service, door())
    wanted = {"SOPInstanceUID": place.instance}
    try:
        found = [*search(client, place.service, place.study, place.series, wanted)]
    except DicomError:
        return 0
    return next((each.frames for each in found if each.place == place), 0)


def fetched(place: WebPlace) -> Dataset:
    """Return an instance as it is stored; of a study or series the only one.

    Raises
    ------
    DicomError
        The server refuses, or sends what is no DICOM; or there are several instances.
    """
    if place.instance:
        return _kept_instance(place, door()).content()
    found = list(instances_at(place))
    if len(found) != 1:
        msg = (
            f"Expected the URL of one instance, got one of {len(found)}. Use explain_many, "
            "explain_archive or read_series for all of them."
        )
        raise DicomError(msg, reason="not-a-file")
    return _kept_instance(found[0].place, door()).content()


def retrieved(client: Any, place: WebPlace) -> Dataset:
    """Return an instance as it is stored.

    Raises
    ------
    DicomError
        The server refuses, or sends what is no DICOM.
    """
    found: Dataset = asked(
        "read",
        partial(
            client.retrieve_instance,
            place.study,
            place.series,
            place.instance,
            media_types=_AS_STORED,
        ),
    )
    if str(found.get("SOPInstanceUID", "")) != place.instance:
        msg = "Expected the server to send the instance asked for, it sent another one."
        raise DicomError(msg, reason="not-dicom")
    return found


def asked(doing: str, question: Callable[[], _Answer]) -> _Answer:
    """Return what a server answers; what goes wrong is one sentence without a URL.

    It is raised when what it came of is forgotten: errors of requests hold the header that opens
    the door, and would be its context.

    Parameters
    ----------
    doing
        What the server is asked to do: a verb.

    Raises
    ------
    DicomError
        The server is not there, refuses, or answers what is none of DICOMweb.
    """
    try:
        with without_warnings():
            return question()
    except SaliencyError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever an answer provokes
        refused = _refusal(doing, error)
    raise refused


def _refusal(doing: str, error: Exception) -> DicomError:
    answer = getattr(error, "response", None)
    if answer is not None:
        said = _words_of_answer(answer)
        msg = f"Expected the server to {doing}, it answered {said}.{_way_out(doing, answer)}"
        return DicomError(msg, reason=said)
    if isinstance(error, OSError):  # so are the errors of requests
        kind = type(error).__name__
        hint = f" ({_HINTS[kind]})" if kind in _HINTS else ""
        msg = f"Expected a DICOMweb server to {doing}, got {kind}{hint}."
        return DicomError(msg, reason="server")
    msg = f"Expected the server to {doing} DICOM, got something else."
    return DicomError(msg, reason="not-dicom")


def _way_out(doing: str, answer: Any) -> str:
    """Return what to do about an answer, as a sentence; "" where nobody knows."""
    if answer.status_code == HTTPStatus.UNAUTHORIZED:
        return f" Who asks is said by {TOKEN}, or by {USER} and {PASSWORD}."
    if doing == "store" and answer.is_redirect:
        return " Nothing is stored elsewhere: give the URL that it leads to."
    return ""


def _words_of_answer(answer: Any) -> str:
    """Return the status in the words of RFC 9110, and Failure Reason (0008,1197) if there is one.

    The words of the server itself may be anything.
    """
    status = int(answer.status_code)
    known = status in HTTPStatus.__members__.values()
    words = f"{status} {HTTPStatus(status).phrase}" if known else str(status)
    try:
        failed = (
            answer.json().get("00081198", {}).get("Value", [])
        )  # Failed SOP Sequence
        reasons = [int(each["00081197"]["Value"][0]) for each in failed]
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        return words
    return ", ".join([words, *map(failure_words, reasons)])


def failure_words(reason: int) -> str:
    """Return a Failure Reason (0008,1197) as tables of the standard write it (PS3.7 C)."""
    return f"Failure Reason {reason:#06x}"


@final
class _KeptInstance:
    """An instance that is fetched once, also where threads ask for several of its frames."""

    def __init__(self, place: WebPlace, opened_with: tuple[str | None, ...]) -> None:
        self._place, self._opened_with = place, opened_with
        self._lock = Lock()
        self._content: Dataset | None = None

    def content(self) -> Dataset:
        with self._lock:
            if self._content is None:
                client = _usual_client(self._place.service, self._opened_with)
                self._content = retrieved(client, self._place)
            return self._content


@lru_cache(_KEPT)
def _kept_instance(
    place: WebPlace, opened_with: tuple[str | None, ...]
) -> _KeptInstance:
    return _KeptInstance(place, opened_with)


@lru_cache(_KEPT)
def _usual_client(
    service: str,
    opened_with: tuple[str | None, ...],  # noqa: ARG001 - another door, another client
) -> Any:
    return client_of(service)


def door() -> tuple[str | None, ...]:
    """Return what the environment opens doors with."""
    return tuple(
        os.environ.get(name) for name in (TOKEN, USER, PASSWORD, CERTIFICATE, AUTHORITY)
    )


def _libraries() -> tuple[Any, Any]:
    try:
        import requests  # noqa: PLC0415 - an extra
        from dicomweb_client.api import DICOMwebClient  # noqa: PLC0415 - an extra
    except ImportError as error:
        msg = (
            "Expected dicomweb-client, found none: pip install 'dicom-saliency[pacs]'."
        )
        raise MissingExtraError(msg) from error
    return requests, DICOMwebClient


@final
class _Bearer:
    """A token that no repr shows."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: Any) -> Any:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _value(found: dict[str, Any], tag: str) -> str:
    """Return the first value of an attribute in DICOM JSON (PS3.18 F)."""
    values = found.get(tag, {}).get("Value") or [""]
    return "" if values[0] is None else str(values[0])


def _whole_number(found: dict[str, Any], tag: str) -> int:
    """Return the first value of a number, 0 where there is none."""
    return int(float(_value(found, tag) or 0))

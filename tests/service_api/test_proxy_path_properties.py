"""B8, S34: a path that passes leaves its API root for no decoder; file names pass unchanged."""

import contextlib
import re
import unicodedata
from urllib.parse import quote

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from xero_service.errors import ForbiddenPath
from xero_service.services.proxy.paths import API_ROOTS, validate_target

# A decoder of every vice, written apart from the judge: a table of spellings, applied again and
# again, where the judge normalises and decodes.
SPELLINGS = {
    ".": "%2e %c0%ae %c0%2e %e0%80%ae %f0%80%80%ae %u002e %ef%bc%8e %e2%80%a4 %ef%b9%92 %uff0e",
    "..": "%e2%80%a5",
    "/": "%2f %5c \\ %c0%af %c1%9c %e0%80%af %u002f %u2215 %ef%bc%8f %e2%88%95 %e2%81%84 %ef%bc%bc",
    "%": "%25 %c0%a5 %ef%bc%85 %ef%b9%aa",
    ";": "%3b %3f %23 %00 %ef%bc%9b",
    "": "%20 %09 %0d %c2%a0 %e2%80%8b %c2%ad +",
}


def laxest(path: str) -> str:
    """Decode until nothing changes any more, then cut parameters off and trim."""
    before = ""
    while before != path:
        before = path
        path = path.lower()
        for plain, spellings in SPELLINGS.items():
            for spelling in spellings.split():
                path = path.replace(spelling, plain)
    return "/".join(segment.partition(";")[0].strip() for segment in path.split("/"))


parts = st.sampled_from(
    [*"abc/.%;2e ", "..", "/../", "connections", "2.0", "Organisation", "%2e", "%252e", "%25"]
    + [each for spellings in SPELLINGS.values() for each in spellings.split()]
    + [quote(each) for spellings in SPELLINGS.values() for each in spellings.split()]
)


@settings(max_examples=300)
@given(st.sampled_from([*API_ROOTS, "", "connections/", "API.xro/"]), st.lists(parts, max_size=12))
@example("api.xro/", ["..", "+", "/", "connections"])
@example("api.xro/", ["2.0/", ".%25", "2e", "/../..", "/connections"])
def test_no_decoder_reads_a_way_out_of_the_api_roots_from_what_passes(
    root: str, rest: list[str]
) -> None:
    path = root + "".join(rest)

    with contextlib.suppress(ForbiddenPath):
        target = validate_target(path, "")

        assert target == path
        read = laxest(path)
        assert read.startswith(API_ROOTS), read
        assert not re.search(r"(^|/)\.+(/|$)", read), read


plain = st.characters(exclude_categories=["C", "Z"], exclude_characters="%/\\\u2044\u2215\u2216")
percents = st.sampled_from(["% ", "%-", "%%", "100%", "%z"])


@settings(max_examples=300)
@given(st.lists(plain | percents | st.just(" "), max_size=40).map("".join))
@example("50% deposit.pdf")
@example("%")
def test_every_file_name_that_people_give_passes_as_an_sdk_encodes_it(name: str) -> None:
    name = f"{name} 1.pdf"
    assume(not re.search(r"%u?[0-9a-fA-F]{2}|[/\\]", unicodedata.normalize("NFKC", name)))
    path = f"api.xro/2.0/Invoices/1/Attachments/{quote(name, safe='')}"

    assert validate_target(path, "") == path

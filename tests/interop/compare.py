"""Answers in one form, whoever gave them, and the count of what was compared.

A field is a list of its occurrences: none when it is absent. An occurrence is a text, or a dictionary of
fields. Names are those of the wire, in lower case: `etag` is the header `ETag` and the element `ETag`.
"""

import datetime
import re
import xml.etree.ElementTree as ElementTree


class Outcome:
    """What came of a call: the fields of an answer, or an error, or what stopped it before it was sent."""

    def __init__(self, fields=None, error=None, content=None, status=None, headers=None, failure=None):
        self.fields = fields or {}
        self.error = error
        self.content = content
        self.status = status
        self.headers = headers or {}
        self.failure = failure

    def __repr__(self):
        if self.failure is not None:
            return f"failure {self.failure}"
        if self.error is not None:
            return f"error {self.error}"
        return f"answer {self.status} {self.fields}"


def texts(*values):
    """The occurrences of a field: those values that are not None, as texts."""
    return [text(value) for value in values if value is not None]


def text(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime.datetime):
        return iso(value)
    if isinstance(value, bytes):
        return value.decode()
    return str(value)


def iso(moment):
    utc = moment.astimezone(datetime.timezone.utc)
    return utc.strftime("%Y-%m-%dT%H:%M:%SZ")


def iso_of_seconds(seconds):
    return iso(datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc))


def nested(path, occurrences):
    """A field that stands below others: `Buckets/Bucket`."""
    *outer, name = path.lower().split("/")
    field = (name, occurrences)
    for above in reversed(outer):
        field = (above, [dict([field])] if field[1] else [])
    return field


def of_xml(document):
    """An occurrence from an XML document."""
    if "<" not in document[1:-1].split(">", 1)[1].rsplit("<", 1)[0]:
        # By hand, because a parser of XML refuses `&#1;`, which OSS and we do not.
        inner = document[document.index(">") + 1 : document.rindex("<")]
        return unescape(inner)
    return of_element(ElementTree.fromstring(document))


def of_element(element):
    if len(element) == 0:
        return element.text or ""
    fields = {}
    for child in element:
        fields.setdefault(child.tag.lower(), []).append(of_element(child))
    return fields


def unescape(inner):
    inner = re.sub(r"&#(\d+);", lambda match: chr(int(match[1])), inner)
    for name, character in (("lt", "<"), ("gt", ">"), ("quot", '"'), ("apos", "'"), ("amp", "&")):
        inner = inner.replace(f"&{name};", character)
    return inner


def differences(theirs, ours, vague=(), path=""):
    """Compares every field that they have a place for; gives the number of leaves and the differences.

    An empty text is the same as no text, because several of their clients cannot tell them apart. Of a field
    in `vague` (an upload id, a time of writing) only the presence is compared.
    """
    count, found = 0, []
    for name, left in theirs.items():
        here = f"{path}/{name}" if path else name
        left, right = substance(left), substance(ours.get(name, []))
        if name in vague:
            count += 1
            if bool(left) != bool(right):
                found.append(f"{here}: theirs {left}, ours {right}")
            continue
        if len(left) != len(right):
            count += 1
            found.append(f"{here}: theirs {left}, ours {right}")
            continue
        count += 1 if not left else 0
        for index, (one, other) in enumerate(zip(left, right)):
            place = here if len(left) == 1 else f"{here}[{index}]"
            if isinstance(one, dict) and isinstance(other, dict):
                inner_count, inner = differences(one, other, vague, place)
                count += inner_count
                found += inner
                continue
            count += 1
            if one != other:
                found.append(f"{place}: theirs {one!r}, ours {other!r}")
    return count, found


def substance(occurrences):
    kept = [one for one in occurrences if one != ""]
    return [
        one for one in kept if not isinstance(one, dict) or any(substance(field) for field in one.values())
    ]


class Report:
    """Prints a line a call and remembers what was compared."""

    def __init__(self):
        self.calls = 0
        self.fields = 0
        self.bad = []
        self.table = {}
        self.distinct = set()

    def line(self, client, operation, detail, count, found):
        self.calls += 1
        self.fields += count
        row = self.table.setdefault(operation, {})
        row[client] = row.get(client, 0) + 1
        self.distinct.add((client, operation, detail))
        word = "ok" if not found else "DIFFERENT"
        print(f"{word} {self.calls} {client} {operation} {detail}".rstrip(), flush=True)
        for difference in found:
            print(f"    {difference}", flush=True)
            self.bad.append(f"{client} {operation} {detail}: {difference}")

    def close(self):
        """The last lines; whether there was no difference."""
        for difference in self.bad:
            print(difference, flush=True)
        clients = {client for row in self.table.values() for client in row}
        print(
            f"interop: {self.calls} calls ({len(self.distinct)} distinct) by {len(clients)} clients, "
            f"{self.fields} fields compared, {len(self.bad)} differences",
            flush=True,
        )
        return not self.bad

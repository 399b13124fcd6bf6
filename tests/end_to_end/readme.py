"""The README as data: its shell blocks, its tables, and the words of the wire that they explain."""

import re

import templates


def section(title):
    """The text under a heading, without the sections after it of the same or a higher level."""
    text = templates.source("README.md")
    level, start = next((len(found[1]), found.end()) for found in headings(text) if found[2] == title)
    ends = (found.start() for found in headings(text) if found.start() > start and len(found[1]) <= level)
    return text[start : next(ends, len(text))]


def headings(text):
    fences = [found.span() for found in re.finditer(r"^```.*?^```$", text, re.M | re.S)]
    found = re.finditer(r"^(#+) (.+)$", text, re.M)
    return [one for one in found if not any(begin < one.start() < end for begin, end in fences)]


def commands(title, *words):
    """The one shell block of a section that contains all the words."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", section(title), re.M | re.S)
    [block] = [block for block in blocks if all(word in block for word in words)]
    return block


def table(title, heading):
    """The rows of the table whose first column has a heading: its first cell → the others."""
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in section(title).splitlines() if line.startswith("|")]
    first = next(index for index, row in enumerate(rows) if row[0] == heading)
    found = {}
    for cells in rows[first + 2 :]:
        name = re.fullmatch("`(.+)`", cells[0])
        if not name:
            break
        found[name[1]] = cells[1:]
    return found


def words_of(path, enum):
    """The words of an enum as they are on the wire: its variants, without those that hold what is unknown."""
    variants = re.findall(r"^    ([A-Z]\w*),$", body(path, "enum", enum), re.M)
    return {re.sub("(?<!^)([A-Z])", r"_\1", variant).lower() for variant in variants}


def fields_of(path, struct):
    return set(re.findall(r"^    pub (\w+):", body(path, "struct", struct), re.M))


def body(path, kind, name):
    return re.search(rf"^pub {kind} {name} \{{\n(.*?)^\}}", templates.source(path), re.M | re.S)[1]

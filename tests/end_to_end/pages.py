"""The pages as data: their shell blocks, tables and links, and the words of the wire that they explain."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import settings
import templates

FENCED = r"^```sh\n(.*?)^```$"
# The blocks that no test runs as they stand: a page and a word of the block, and why.
NOT_RUN = {
    ("README.md", "make demo"): "it brings up a local AWS of its own; what it does is what these tests do",
    ("docs/get-started.md", "make demo"): "the same; `make company` is test_company.py",
    ("docs/deploy.md", "make release"): "it builds for AWS for a quarter of an hour; local/deploy.py deploys with the same SAM CLI",
    ("docs/onboard.md", "NetworkVpcs"): "the VPCs are examples; test_own_network.py deploys the quick-start with VPCs that there are",
    ("docs/events.md", "cloudformation deploy"): "the local CloudFormation knows no ApiDestination; cfn-lint reads the template",
    ("docs/use.md", "groundwork login"): "the address is an example; test_people_log_in_in_their_browser logs in at this service's",
    ("docs/operate.md", "start-message-move-task"): "the local SQS has no StartMessageMoveTask",
    ("tests/issuer/README.md", "issuer.py"): "it serves until it is stopped; test_issuer.py runs it in the test",
}


class Block(NamedTuple):
    page: str
    line: int
    text: str

    def __str__(self):
        return f"{self.page}:{self.line}"

    def why_not_run(self):
        return [reason for (page, word), reason in NOT_RUN.items() if page == self.page and word in self.text]


@cache
def every_page():
    found = [*settings.REPOSITORY.glob("*.md")]
    for folder in ("docs", "onboarding", "examples", "tests"):
        found += (settings.REPOSITORY / folder).rglob("*.md")
    names = (path.relative_to(settings.REPOSITORY).as_posix() for path in found)
    return sorted(name for name in names if not name.endswith(".head.md"))


def blocks(page):
    text = templates.source(page)
    return [Block(page, text.count("\n", 0, found.start()) + 1, found[1]) for found in re.finditer(FENCED, text, re.M | re.S)]


def commands(page, title, *words):
    """The one shell block of a section that contains all the words."""
    fenced = re.findall(FENCED, section(page, title), re.M | re.S)
    [block] = [block for block in fenced if all(word in block for word in words)]
    return block


def all_commands(page):
    """All blocks of a page that can be run, in its order."""
    return [block.text for block in blocks(page) if not block.why_not_run()]


@cache
def asked_for():
    """The texts of all blocks that tests ask for, by the two functions above."""
    found = set()
    for path in Path(__file__).parent.glob("test_*.py"):
        calls = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
        for call in calls:
            arguments = [ast.literal_eval(argument) for argument in call.args] if ast.unparse(call.func) in OF_BLOCKS else None
            if arguments:
                asked = OF_BLOCKS[ast.unparse(call.func)](*arguments)
                found |= {asked} if isinstance(asked, str) else set(asked)
    return found


OF_BLOCKS = {"pages.commands": commands, "pages.all_commands": all_commands}


def section(page, title):
    """The text under a heading, without the sections after it of the same or a higher level."""
    text = templates.source(page)
    level, start = next((len(found[1]), found.end()) for found in headings(text) if found[2] == title)
    ends = (found.start() for found in headings(text) if found.start() > start and len(found[1]) <= level)
    return text[start : next(ends, len(text))]


def headings(text):
    fences = [found.span() for found in re.finditer(r"^```.*?^```$", text, re.M | re.S)]
    found = re.finditer(r"^(#+) (.+)$", text, re.M)
    return [one for one in found if not any(begin < one.start() < end for begin, end in fences)]


def anchors(page):
    """As GitHub makes them of headings: lower case, without punctuation, with hyphens for spaces."""
    return {re.sub(r"[^\w\- ]", "", found[2].lower()).replace(" ", "-") for found in headings(templates.source(page))}


def broken_links(page):
    """The links to other files, and to headings, that lead nowhere."""
    prose = re.sub(r"^```.*?^```$|`[^`\n]+`", "", templates.source(page), flags=re.M | re.S)
    links = re.findall(r"\]\(([^)\s]+)\)", prose)
    return [link for link in links if not re.match(r"[a-z]+:", link) and not leads_somewhere(page, link)]


def leads_somewhere(page, link):
    path, _, anchor = link.partition("#")
    target = (settings.REPOSITORY / page).parent / path if path else settings.REPOSITORY / page
    if not target.exists():
        return False
    return not anchor or anchor in anchors(target.resolve().relative_to(settings.REPOSITORY).as_posix())


def table(page, title, heading):
    """The rows of the table whose first column has a heading: its first cell → the others."""
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in section(page, title).splitlines() if line.startswith("|")]
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


def body(path, kind, name):
    return re.search(rf"^pub {kind} {name} \{{\n(.*?)^\}}", templates.source(path), re.M | re.S)[1]

"""When each resource of a cluster was asked for, when it was ready, what it waited for, and which of them decided how long it all took."""

from datetime import datetime

import settings

WIDTH = 48
LAST_STAGE = "create-nodegroups"


def show(cluster, events):
    spans = spans_of(cluster, events)
    start, end = min(span.asked for span in spans), max(span.ready for span in spans)
    path = critical_path(spans)
    print(f"\nThe creation in minutes and seconds of AWS, which pass {settings.SPEED} times as fast here; * is on the critical path")
    print(f"  {'resource':<30} {'asked':>6} {'ready':>6}  {'':<{WIDTH}}  waited for")
    for span in sorted(spans, key=lambda span: (span.asked, span.ready)):
        mark = "*" if span in path else " "
        print(f"{mark} {span.key:<30} {pace(span.asked - start):>6} {pace(span.ready - start):>6}  {bar(span, start, end)}  {span.waited_for or ''}")
    print(f"\nCritical path, {pace(end - start)}: " + " → ".join(f"{span.key} {pace(span.ready - span.asked)}" for span in path))


class Span:
    def __init__(self, key, asked, ready):
        self.key, self.asked, self.ready, self.waited_for = key, asked, ready, None


def spans_of(cluster, events):
    asked, ready = first(events, "creating"), first(events, "ready")
    spans = {one["key"]: Span(one["key"], asked[one["key"]], ready[one["key"]]) for one in cluster["resources"]}
    for one in cluster["resources"]:
        before = [spans[key] for key in [*one["needs"], *stages_before(one, cluster)] if key in spans]
        if before:
            spans[one["key"]].waited_for = max(before, key=lambda span: span.ready).key
    return list(spans.values())


def stages_before(resource, cluster):
    """The last stage begins when all the others have ended."""
    if resource["stage"] != LAST_STAGE:
        return []
    return [one["key"] for one in cluster["resources"] if one["stage"] != LAST_STAGE]


def first(events, action):
    """Target → when the log first has that action for it."""
    times = {}
    for event in events:
        if event["action"] == action:
            # A datetime has no room for nanoseconds.
            times.setdefault(event["target"], datetime.fromisoformat(event["at"][:26].rstrip("Z")))
    return times


def critical_path(spans):
    """From the resource that was ready last, back along what each one waited for."""
    by_key = {span.key: span for span in spans}
    path = [max(spans, key=lambda span: span.ready)]
    while path[0].waited_for:
        path.insert(0, by_key[path[0].waited_for])
    return path


def bar(span, start, end):
    columns = [round(WIDTH * ((time - start) / (end - start))) for time in (span.asked, span.ready)]
    length = max(1, columns[1] - columns[0])
    return (" " * min(columns[0], WIDTH - 1) + "─" * length).ljust(WIDTH)[:WIDTH]


def pace(shown):
    """A duration on the functions' clock, as minutes and seconds of AWS."""
    seconds = round(shown.total_seconds() * settings.SPEED / settings.CLOCK_SPEED)
    return f"{seconds // 60}:{seconds % 60:02}"

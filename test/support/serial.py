"""Whether a history of operations is strictly serialisable: whether there is an order of all of them, in which each
that ended before another began stands before it, and in which everybody saw what those before him had written.

Items hold lists, and writes append numbers that are used once. So what a read has seen tells which writes came before
it and, for each item, in what order: an edge goes from a write to the next one of its item, from a write to who saw it
as the last one, from who did not see a write to that write, and from what has ended to what then began. The history is
serialisable if and only if the edges make no circle."""

import collections

NEVER = float("inf")


class Operation:
    """`reads` and `appends` by key: the list that was seen, before the append of this same operation, if it made one;
    the number appended. `end` NEVER: its outcome is not known."""

    def __init__(self, thread, kind, start):
        self.thread, self.kind, self.start, self.end = thread, kind, start, NEVER
        self.reads, self.appends = {}, {}

    def __repr__(self):
        return f"{self.kind} of {self.thread} [{self.start:.6f}, {self.end:.6f}] saw {self.reads} wrote {self.appends}"


def orders_of(operations):
    """For each key the longest list that was seen; all others must be beginnings of it."""
    orders = collections.defaultdict(list)
    for operation in operations:
        for key, seen in operation.reads.items():
            if len(seen) > len(orders[key]):
                orders[key] = seen
    for operation in operations:
        for key, seen in operation.reads.items():
            if orders[key][:len(seen)] != seen:
                raise AssertionError(f"{key} was never {seen}, but then {orders[key]}: {operation}")
    for key, order in orders.items():
        if len(set(order)) != len(order):
            raise AssertionError(f"{key} has a number twice: {order}")
    return orders


def writers_of(operations):
    return {number: operation for operation in operations for number in operation.appends.values()}


def item_edges(operations, orders, writers):
    for key, order in orders.items():
        for before, after in zip(order, order[1:]):
            yield writers[before], writers[after]
    for operation in operations:
        for key, seen in operation.reads.items():
            if seen:
                yield writers[seen[-1]], operation
            if len(seen) < len(orders[key]):
                yield operation, writers[orders[key][len(seen)]]


def time_edges(operations):
    """From the last operation of each thread that ended before this one began: what came earlier follows."""
    ended, running = {}, []
    for operation in sorted(operations, key=lambda each: each.start):
        for each in [each for each in running if each.end < operation.start]:
            running.remove(each)
            if each.thread not in ended or ended[each.thread].end < each.end:
                ended[each.thread] = each
        for each in ended.values():
            yield each, operation
        if operation.end != NEVER:
            running.append(operation)


def circle_in(edges, operations):
    """What is left when those that nothing comes before are taken away, again and again."""
    after, count = collections.defaultdict(set), collections.Counter()
    for before, then in edges:
        if before is not then and then not in after[before]:
            after[before].add(then)
            count[then] += 1
    free = [operation for operation in operations if count[operation] == 0]
    left = len(operations)
    while free:
        left -= 1
        for then in after[free.pop()]:
            count[then] -= 1
            if count[then] == 0:
                free.append(then)
    return [operation for operation in operations if count[operation] > 0] if left else []


def check(operations):
    """Raises AssertionError unless the history is strictly serialisable. Its last operations have read every key."""
    orders, writers = orders_of(operations), writers_of(operations)
    seen = {number for order in orders.values() for number in order}
    for number in seen - set(writers):
        raise AssertionError(f"nobody wrote {number}")
    for number, operation in writers.items():
        if number not in seen and operation.end != NEVER:
            raise AssertionError(f"{number} is lost: {operation}")
    # What was not answered and is not there has not happened.
    happened = [each for each in operations if each.end != NEVER or any(n in seen for n in each.appends.values())]
    for operation in happened:
        for number in operation.appends.values():
            if number not in seen:
                raise AssertionError(f"a part of it has happened: {operation}")
    edges = [*item_edges(happened, orders, writers), *time_edges(happened)]
    circle = circle_in(edges, happened)
    if circle:
        raise AssertionError("no order explains these:\n" + "\n".join(map(str, circle[:20])))

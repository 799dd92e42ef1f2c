"""Working in the background: in order, bounded, loud."""

import threading
import time
import traceback

import pytest

from chondria.inference.streaming import in_background


def test_results_come_in_order_from_one_other_thread() -> None:
    threads = set()

    def work(item: int) -> int:
        threads.add(threading.get_ident())
        time.sleep(0.001 * (item % 3))
        return item * item

    assert list(in_background(work, range(20))) == [n * n for n in range(20)]
    assert len(threads) == 1
    assert threads != {threading.get_ident()}


def test_it_works_ahead_but_not_further_than_its_depth() -> None:
    taken = []

    def items():
        for n in range(10):
            taken.append(n)
            yield n

    results = in_background(lambda n: n, items(), depth=2)
    assert next(results) == 0
    assert taken == [0, 1, 2]
    results.close()
    assert taken == [0, 1, 2]


def test_an_exception_arrives_with_its_own_traceback_and_stops_the_rest() -> None:
    done = []

    def fails_at_three(n: int) -> int:
        done.append(n)
        if n == 3:
            raise OSError("disk gone")
        return n

    results = in_background(fails_at_three, range(100), depth=1)
    with pytest.raises(OSError, match="disk gone") as caught:
        list(results)
    assert any(frame.name == "fails_at_three" for frame in traceback.extract_tb(caught.tb))
    assert len(done) < 7


def test_no_thread_is_left_behind() -> None:
    before = threading.active_count()
    results = in_background(lambda n: n, range(100))
    next(results)
    results.close()
    assert threading.active_count() == before

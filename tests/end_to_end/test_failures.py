"""Every failure that AWS is known for has an answer; read from the tests' source: these tests need no AWS."""

import failure_rows


def test_every_number_has_a_test_and_no_test_has_another():
    assert failure_rows.tests().keys() == set(failure_rows.NUMBERS)
    assert failure_rows.impossible().keys() <= failure_rows.tests().keys()


def test_the_page_is_what_the_tests_say():
    assert failure_rows.PAGE.read_text() == failure_rows.page(), "make failure-rows"


def test_no_number_of_the_collection_is_missing():
    assert failure_rows.collected() in (None, failure_rows.NUMBERS)

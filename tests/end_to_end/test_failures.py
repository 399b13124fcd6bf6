"""Every failure that AWS is known for has a test. Read from the source of those tests, so no AWS is needed."""

import failure_rows


def test_every_failure_has_a_test_and_every_test_has_a_failure():
    assert failure_rows.tests().keys() == set(failure_rows.NUMBERS + failure_rows.SINCE)
    assert failure_rows.impossible().keys() <= failure_rows.tests().keys()


def test_the_page_is_what_the_tests_say():
    assert failure_rows.PAGE.read_text() == failure_rows.page(), "make failure-rows"


def test_no_number_of_the_collection_is_missing():
    assert failure_rows.collected() in (None, failure_rows.NUMBERS)

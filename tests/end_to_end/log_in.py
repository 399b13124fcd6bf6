"""A browser that logs in by itself: `log_in.py <user> <password> <page>` fills in the page's form and follows where that leads."""

import sys

import requests

from browser import fill_in

user, password, page = sys.argv[1:]
sent_back = fill_in(requests.get(page, timeout=30), username=user, password=password)
requests.get(sent_back.headers["Location"], timeout=30)

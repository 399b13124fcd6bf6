"""Runs sweep at the speed of the local cloud, because the template's five minutes take five minutes on the emulator."""

import threading

import settings
from botocore.exceptions import BotoCoreError, ClientError

SECONDS_BETWEEN = max(5, 300 / settings.SPEED)


class Sweeping:
    def __init__(self, service):
        self.service = service
        self.stumbled = 0
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.sweep, daemon=True)

    def sweep(self):
        while not self.stopped.wait(SECONDS_BETWEEN):
            try:
                self.service.sweep()
            except (AssertionError, BotoCoreError, ClientError):
                # A call failed for one cluster, or the emulator was being restarted. The next sweep looks again.
                self.stumbled += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.thread.join()

"""Stops the local AWS. Everything in it is gone."""

import cloud
import environment
from problem import explained


def main():
    cloud.stop()
    environment.FILE.unlink(missing_ok=True)
    print("Down.")


if __name__ == "__main__":
    explained(main)

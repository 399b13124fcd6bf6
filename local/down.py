"""Stops the local AWS and everything in it."""

import cloud
import environment
from problem import explained


def main():
    cloud.stop()
    environment.forget()
    print("Down.")


if __name__ == "__main__":
    explained(main)

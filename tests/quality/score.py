"""Scores sound: reads lines of rate, reference and degraded file; writes lines of PESQ, STOI and delay in ms."""

import sys
import wave
from multiprocessing import Pool

import numpy
from pesq import pesq
from pystoi import stoi
from scipy.signal import correlate


def samples(path):
    with wave.open(path) as file:
        return numpy.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(float) / 32768


def lag(said, heard):
    """By how many samples `heard` is later, where they are most alike."""
    both = correlate(heard, said, mode="full", method="fft")
    return int(numpy.argmax(both)) - (len(said) - 1)


def score(line):
    rate, said, heard = line.rstrip("\n").split("\t")
    rate, said, heard = int(rate), samples(said), samples(heard)
    delay = max(0, lag(said, heard))
    aligned = heard[delay : delay + len(said)]
    said = said[: len(aligned)]
    mos = pesq(rate, said, aligned, "nb" if rate == 8000 else "wb")
    return f"{mos:.3f}\t{stoi(said, aligned, rate):.3f}\t{delay * 1000 / rate:.1f}"


if __name__ == "__main__":
    with Pool(2) as pool:
        print("\n".join(pool.map(score, sys.stdin.readlines(), chunksize=1)))

"""The options of benchmarks/run and benchmarks/gpu, which both hand on here what they do not read themselves."""

import argparse
import os
import sys


def read(prog, sections, in_a_hurry, repeats, seconds, published, threads=False):
    """The arguments. `sections` are all there are, `in_a_hurry` those of --quick; `repeats` and `seconds` are the
    defaults without and with it."""
    parser = argparse.ArgumentParser(prog=prog)
    parser.add_argument("what", nargs="*", help=f"of {', '.join(sections)}; all when not given")
    parser.add_argument("--sections", default="", help="the same, with commas between them")
    parser.add_argument("--quick", action="store_true", help="fewer rows and runs: a few minutes, and coarse")
    parser.add_argument("--repeats", type=int, help=f"runs of each program ({repeats[0]}; quick: {repeats[1]})")
    parser.add_argument("--seconds", type=float, help=f"length of a run of a network ({seconds[0]}; quick: {seconds[1]})")
    if threads:
        parser.add_argument("--threads", default="1 2", help='numbers of threads ("1 2")')
    parser.add_argument("--publish", metavar="FOLDER", help=f"also writes {published} there")
    # From the script that builds: where, a Python with PyTorch, what was asked for, and whether to look and end.
    parser.add_argument("--build", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--torch", help=argparse.SUPPRESS)
    parser.add_argument("--command", default=prog, help=argparse.SUPPRESS)
    parser.add_argument("--parse", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()

    asked = arguments.what + [name for name in arguments.sections.split(",") if name]
    unknown = set(asked) - set(sections)
    if unknown:
        parser.error(f"there is no section {' '.join(sorted(unknown))}; there are {', '.join(sections)}")
    if arguments.publish and not os.path.isdir(arguments.publish):
        parser.error(f"--publish {arguments.publish}: there is no such folder")
    if threads:
        if not all(word.isdigit() and int(word) > 0 for word in arguments.threads.split()):
            parser.error(f'--threads {arguments.threads}: it takes numbers, such as "1 2"')
        usable = len(os.sched_getaffinity(0))
        arguments.threads = [n for n in map(int, arguments.threads.split()) if n <= usable] or [1]
    if arguments.parse:
        sys.exit()
    arguments.sections = asked or list(in_a_hurry if arguments.quick else sections)
    arguments.repeats = arguments.repeats or repeats[arguments.quick]
    arguments.seconds = arguments.seconds or seconds[arguments.quick]
    return arguments

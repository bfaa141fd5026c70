"""Run the shards of a brownout plan on a Dask cluster.

    python3 brownout_dask.py plan.json --shards 8 --out plan.runs --scheduler tcp://head:8786

Plan, folder and the program must be reachable under the same paths on every worker. Without --scheduler a
cluster is started on this machine. A shard is a pure function that writes one file whole or not at all, so
a task that is lost is simply run again.

It needs dask.distributed, and Python 3.9 or later.
"""

import argparse
import subprocess
import sys

# brownout wrote the shard, and a limit or a bug is marked in it: running it again would give the same.
WRITTEN = (0, 5, 6)


def run_shard(command, shard):
    """Runs one shard where Dask put it; an exception makes Dask try again."""
    done = subprocess.run([*command, "--shard", shard], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode not in WRITTEN:
        raise RuntimeError(f"shard {shard} ended with {done.returncode}: {done.stderr.strip()}")
    return shard, done.returncode, done.stderr.strip().rpartition("\n")[2]


def main():
    parser = argparse.ArgumentParser(description="Run the shards of a brownout plan on a Dask cluster.")
    parser.add_argument("plan")
    parser.add_argument("--shards", type=int, required=True, metavar="N")
    parser.add_argument("--only", default="", metavar="I,J,..", help="only these shards, counted from 0")
    parser.add_argument("--out", required=True, metavar="DIR")
    parser.add_argument("--brownout", default="brownout", metavar="PROGRAM")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="of a cluster that runs; else one is started here")
    parser.add_argument("--workers", type=int, metavar="N", help="of the cluster that is started here")
    parser.add_argument("--retries", type=int, default=2, metavar="N")
    args = parser.parse_args()

    from dask.distributed import Client, as_completed

    if args.scheduler:
        client = Client(args.scheduler)
    else:
        client = Client(n_workers=args.workers, threads_per_worker=1, dashboard_address=None)
    indices = [int(index) for index in args.only.split(",") if index] or range(args.shards)
    command = [args.brownout, "sweep", "run", args.plan, "--out", args.out, "--jobs", "1"]
    worst = 0
    with client:
        tasks = [
            client.submit(run_shard, command, f"{index}/{args.shards}", key=f"brownout-{index}", retries=args.retries)
            for index in indices
        ]
        for number, task in enumerate(as_completed(tasks), start=1):
            failure = task.exception()
            if failure is not None:
                print(f"{number} of {len(tasks)}: {failure}", file=sys.stderr)
                worst = 1
                continue
            shard, code, said = task.result()
            print(f"{number} of {len(tasks)}: {said or 'shard ' + shard}", file=sys.stderr)
            worst = max(worst, code)
    return worst


if __name__ == "__main__":
    sys.exit(main())

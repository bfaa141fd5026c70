# Sourced after common.sh by the checks of diagrams: every bundled experiment and one that is hostile, as files.
cat >"$scratch/hostile.ron" <<'RON'
(
    about: "]}\"--> end; <script>alert(1)</script> %%{init: {}}%% \\N \\l &lt; &amp; ]]> --- {{x}} `code` #35; |x| style n0 fill:#f00",
    model: ServiceGraph(
        workload: [(to: "end", arrivals: Poisson("1/s"))],
        services: {
            "end": (workers: Async(1), work: "1ms", calls: [(to: "graph", optional: true), (to: "graph", times: 3)]),
            "graph": (workers: Blocking(1), work: "1ms", queue: Fifo(capacity: Unbounded)),
        },
        faults: [(at: "1s", on: "end->graph#2", effect: Drop(probability: 0.5))],
    ),
    run: (duration: "10s"),
)
RON

# Prints the folders, one of each experiment.
diagrams() {
    local name number=0
    while read -r name; do
        number=$((number + 1))
        brownout diagram "$name" --quiet --out "$scratch/$number" >"$scratch/page"
        echo "$scratch/$number"
    done < <(brownout list --format json | python3 -c 'import json, sys
for e in json.load(sys.stdin)["experiments"]: print(e["name"])'; echo "$scratch/hostile.ron")
}

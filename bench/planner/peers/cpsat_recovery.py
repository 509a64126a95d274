"""Solves a recovery-like instance with OR-Tools CP-SAT.

In:    an instance (JSON, see bench/planner/src/recovery/peer.rs), seconds, workers.
Out:   one line of JSON on stdout: status, objective, bound, starts; starts are empty without one.
Never: knows anything of our schedule but a horizon a little behind its end.
"""

import json
import sys

from ortools.sat.python import cp_model


def modelled(instance):
    model = cp_model.CpModel()
    horizon = instance["horizon"]
    starts, lanes = [], [[] for _ in instance["teams"]]
    cost = []
    for hours, team, release, due, weight in instance["activities"]:
        latest = min(horizon, due) - hours
        start = model.new_int_var(release, max(release, latest), "")
        starts.append(start)
        lanes[team].append((model.new_fixed_size_interval_var(start, hours, ""), 1))
        if weight:
            cost.append(weight * (start + hours))
    for earlier, later in instance["edges"]:
        model.add(starts[later] >= starts[earlier] + instance["activities"][earlier][0])
    for team, of in zip(instance["teams"], lanes):
        for begin, end, missing in team["missing"]:
            of.append((model.new_fixed_size_interval_var(begin, end - begin, ""), missing))
        if of:
            model.add_cumulative([one for one, _ in of], [n for _, n in of], team["most"])
    model.minimize(sum(cost))
    return model, starts


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        instance = json.load(file)
    model, starts = modelled(instance)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = float(sys.argv[2])
    solver.parameters.num_workers = int(sys.argv[3])
    solver.parameters.random_seed = 1
    status = solver.solve(model)
    has_one = status in (cp_model.OPTIMAL, cp_model.FEASIBLE)
    answer = {
        "status": solver.status_name(status),
        "bound": solver.best_objective_bound,
        "start": [solver.value(start) for start in starts] if has_one else [],
    }
    json.dump(answer, sys.stdout)


main()

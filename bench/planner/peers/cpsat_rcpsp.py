"""Solves one instance in Patterson format with OR-Tools CP-SAT and prints one line:
makespan bound status, or `none bound status` when nothing was found in time.

In: file, seconds, workers. The plain model of the literature: intervals, cumulative, precedence.
"""
import sys

from ortools.sat.python import cp_model


def main(path, seconds, workers):
    with open(path) as file:
        numbers = iter(int(word) for word in file.read().split())
    count, resources = next(numbers), next(numbers)
    capacities = [next(numbers) for _ in range(resources)]
    rows = []
    for _ in range(count):
        duration = next(numbers)
        demands = [next(numbers) for _ in range(resources)]
        rows.append((duration, demands, [next(numbers) - 1 for _ in range(next(numbers))]))
    model = cp_model.CpModel()
    horizon = sum(row[0] for row in rows)
    starts = [model.new_int_var(0, horizon, "") for _ in rows]
    last = model.new_int_var(0, horizon, "")
    intervals = []
    for start, (duration, _, after) in zip(starts, rows):
        intervals.append(model.new_fixed_size_interval_var(start, duration, ""))
        model.add(start + duration <= last)
        for successor in after:
            model.add(starts[successor] >= start + duration)
    for resource, capacity in enumerate(capacities):
        users = [i for i, row in enumerate(rows) if row[1][resource] > 0 and row[0] > 0]
        demands = [rows[i][1][resource] for i in users]
        model.add_cumulative([intervals[i] for i in users], demands, capacity)
    model.minimize(last)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.num_workers = workers
    solver.parameters.random_seed = 1
    status = solver.solve(model)
    found = status in (cp_model.OPTIMAL, cp_model.FEASIBLE)
    value = str(int(solver.objective_value)) if found else "none"
    bound = int(solver.best_objective_bound + 0.999999)
    print(value, bound, solver.status_name(status).lower())


main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]))

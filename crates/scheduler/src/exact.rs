//! Small schedules solved to proof by a constraint solver.

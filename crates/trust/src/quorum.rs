//! Counts distinct persons, roles and organisations behind signatures: one code path for all.

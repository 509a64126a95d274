//! When is everything back: the shortest schedule of activities that share resources.

//! When a team works that is only interrupted by its nights: work and clock, one for the other.
//!
//! In:    stretches of the clock in which it works. Out: [`Shifts`], a map in both directions.
//! Never: counts lanes; those lie on the axis of work.

use super::team::Hour;

/// Stretches of the clock, and the work that fits before each.
///
/// Behind the last stretch work goes on without a break.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shifts {
    stretches: Vec<Stretch>,
    /// The last stretch that begins no later than each bucket of the clock does.
    by_clock: Vec<u32>,
    /// The same for buckets of work.
    by_work: Vec<u32>,
}

/// Hours of a bucket, as a power of two.
const BUCKET: u32 = 9;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Stretch {
    from: Hour,
    to: Hour,
    before: u32,
}

impl Shifts {
    /// Reads stretches as (first hour, first hour after), one behind the other; what overlaps the
    /// one before or is empty does not count.
    pub fn new(stretches: impl IntoIterator<Item = (Hour, Hour)>) -> Self {
        let mut known: Vec<Stretch> = Vec::new();
        let (mut before, mut last) = (0, 0);
        for (from, to) in stretches {
            let from = from.max(last);
            if from >= to {
                continue;
            }
            known.push(Stretch { from, to, before });
            before += to - from;
            last = to;
        }
        if let Some(last) = known.last_mut() {
            last.to = Hour::MAX;
        } else {
            known.push(Stretch {
                from: 0,
                to: Hour::MAX,
                before: 0,
            });
        }
        let by_clock = buckets(known.iter().map(|it| it.from));
        let by_work = buckets(known.iter().map(|it| it.before));
        Self {
            stretches: known,
            by_clock,
            by_work,
        }
    }

    /// Whether an hour of the clock is worked.
    pub fn works(&self, hour: Hour) -> bool {
        let after = self.stretches.partition_point(|it| it.from <= hour);
        after > 0 && hour < self.stretches[after - 1].to
    }

    /// Work that fits before an hour of the clock.
    #[inline]
    pub fn worked(&self, at: Hour) -> u32 {
        let it = self.find(&self.by_clock, at, |it| it.from);
        it.before + at.min(it.to).max(it.from) - it.from
    }

    /// The hour of the clock at which the next work is done when so much is done.
    #[inline]
    pub fn begin(&self, work: u32) -> Hour {
        let it = self.find(&self.by_work, work, |it| it.before);
        it.from + (work - it.before)
    }

    /// The first hour of the clock at which so much work is done; 1 at least.
    #[inline]
    pub fn finish(&self, work: u32) -> Hour {
        self.begin(work - 1) + 1
    }

    /// The last stretch that begins no later than `at`; the first when none does.
    #[inline]
    fn find(&self, buckets: &[u32], at: u32, begin: impl Fn(&Stretch) -> u32) -> Stretch {
        let bucket = (at >> BUCKET) as usize;
        let mut place = buckets[bucket.min(buckets.len() - 1)] as usize;
        while self
            .stretches
            .get(place + 1)
            .is_some_and(|next| begin(next) <= at)
        {
            place += 1;
        }
        self.stretches[place]
    }
}

/// For each bucket, the last of these beginnings that is no later than its first hour, or 0.
fn buckets(begins: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut buckets: Vec<u32> = Vec::new();
    for (place, begin) in (0_u32..).zip(begins) {
        // Buckets that begin before this one belong to the one before it.
        let first = begin.div_ceil(1 << BUCKET) as usize;
        buckets.resize(first.max(buckets.len()), place.saturating_sub(1));
        buckets.truncate(first);
        buckets.push(place);
    }
    buckets
}

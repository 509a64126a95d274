use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;

use super::{LOGARITHM_MEAN, LOGARITHM_VARIANCE, factor};

#[test]
fn what_is_taken_off_is_what_is_put_on() {
    let mut chance = Xoshiro256PlusPlus::seed_from_u64(1);
    let count = 200_000.0;
    let logs: Vec<f64> = (0..200_000).map(|_| factor(&mut chance).ln()).collect();
    let mean = logs.iter().sum::<f64>() / count;
    let variance = logs.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / count;
    assert!((mean - LOGARITHM_MEAN).abs() < 1e-3, "{mean}");
    assert!((variance - LOGARITHM_VARIANCE).abs() < 1e-3, "{variance}");
}
